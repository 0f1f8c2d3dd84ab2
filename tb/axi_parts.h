/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Tests of the simulation's own AXI parts: sim/axi_check.h finds every kind of violation, sim/axi_memory.h keeps the
 * protocol and in its ideal mode is arch/ideal_memory.h. tb_read runs them. */
#ifndef MCH_TB_AXI_PARTS_H
#define MCH_TB_AXI_PARTS_H

#include <string>

extern "C" {
#include "base/rng.h"
}

namespace mch_tb {

/* Empty, or which planted violation was not found, or what was found where nothing was wrong. */
std::string axi_check_misses();

/* Random reads and writes on the memories with beats of beat_bytes. Empty, or what differs. */
std::string axi_memory_differs(mch_rng *rng, size_t beat_bytes, uint64_t *cycles);

} // namespace mch_tb

#endif
