/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Contract check: a broken contract is a fault of this program, so it stops with file and line. */
#ifndef MCH_BASE_REQUIRE_H
#define MCH_BASE_REQUIRE_H

#include <stdio.h>
#include <stdlib.h>

#define MCH_REQUIRE(cond, why)                                                              \
	do {                                                                                \
		if (!(cond)) {                                                              \
			fprintf(stderr, "macchiato: %s:%d: contract broken (%s): %s; report this\n", \
				__FILE__, __LINE__, #cond, why);                            \
			abort();                                                            \
		}                                                                           \
	} while (0)

#endif
