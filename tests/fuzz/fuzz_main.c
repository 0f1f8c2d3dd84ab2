/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* The entry that libFuzzer calls; the environment's MCH_FUZZ names the target. Source of the interface:
 * https://llvm.org/docs/LibFuzzer.html. Run by scripts/fuzz. */
#include <stdlib.h>

#include "fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n_bytes);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n_bytes)
{
	static const struct fuzz_target *target;
	if (!target)
		target = fuzz_find(getenv("MCH_FUZZ"));
	target->run(bytes, n_bytes);
	return 0;
}
