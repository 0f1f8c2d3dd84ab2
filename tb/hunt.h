/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* What follows a mismatch on mch_top: the layer that failed is run alone, by the RTL alone, and its outputs are explained
 * (op/hint_conv.h); then it is made as small as it can be while lock-step still fails. */
#ifndef MCH_TB_HUNT_H
#define MCH_TB_HUNT_H

#include "tb/layer_case.h"
#include "tb/top_machine.h"

namespace mch_tb
{

/* The program's memory as the list finds it, with descriptor i of the list alone to run: what those before it do is done by the
 * interpreter. False when they cannot be run. */
bool image_of_descriptor(const mch_accel_config &cfg, const uint8_t *memory, uint64_t n_words, uint32_t list, int i, LayerImage *image);

/* A list on the machine, from power-on; true when it has come to its end. In lock-step: and nothing differed; machine.failure() tells
 * what. */
bool run_image(TopMachine &machine, const LayerImage &image);

/* The rule that explains every output of the layer, as the RTL alone makes them, or "". Here and below each run has a machine of its own:
 * registers that no reset clears must not carry from one to the next. */
std::string hint_of(const LayerImage &image, const LayerCase &c);

/* The smallest case found that fails in lock-step; false when the layer alone, laid out anew, does not. */
bool smallest(const LayerCase &c, LayerCase *small);

} // namespace mch_tb

#endif
