/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Other systems' choices; see profile.h.
 * Sources: Ristretto's published tool (Gysel et al.); CMSIS-NN, arm_convolve_HWC_q7 (NN_ROUND, __SSAT); TensorFlow
 * Lite, MultiplyByQuantizedMultiplier with TFLITE_SINGLE_ROUNDING; ONNX QLinearConv (to nearest, ties to even);
 * NVDLA, SDP output converter; Vivado HLS, ap_fixed (AP_TRN, AP_WRAP). */
#include "quant/profile.h"

#include <string.h>

const struct mch_profile mch_profiles[MCH_N_PROFILES] = {
	{.name = "ristretto", .of = "Ristretto on a CPU", .round = MCH_ROUND_HALF_AWAY, .weight_round = MCH_ROUND_HALF_AWAY,
	 .calibration = MCH_FRACTION_IL_LESS, .weight_calibration = MCH_FRACTION_IL, .is_ladder = true},
	{.name = "ristretto-gpu", .of = "Ristretto on a GPU", .round = MCH_ROUND_HALF_EVEN,
	 .weight_round = MCH_ROUND_HALF_EVEN, .calibration = MCH_FRACTION_IL_LESS,
	 .weight_calibration = MCH_FRACTION_IL, .is_ladder = true},
	{.name = "cmsis-nn", .of = "CMSIS-NN, q7 and q15", .round = MCH_ROUND_HALF_UP, .weight_round = MCH_ROUND_HALF_EVEN,
	 .calibration = MCH_FRACTION_MAX, .weight_calibration = MCH_FRACTION_MAX},
	{.name = "tflite", .of = "TensorFlow Lite, single rounding", .round = MCH_ROUND_HALF_UP,
	 .weight_round = MCH_ROUND_HALF_AWAY, .calibration = MCH_FRACTION_MAX, .weight_calibration = MCH_FRACTION_MAX,
	 .per_channel = true},
	{.name = "onnxruntime", .of = "ONNX QLinearConv", .round = MCH_ROUND_HALF_EVEN, .weight_round = MCH_ROUND_HALF_EVEN,
	 .calibration = MCH_FRACTION_MAX, .weight_calibration = MCH_FRACTION_MAX, .has_unsigned = true},
	{.name = "nvdla", .of = "NVDLA", .round = MCH_ROUND_HALF_AWAY, .weight_round = MCH_ROUND_HALF_EVEN,
	 .calibration = MCH_FRACTION_MAX, .weight_calibration = MCH_FRACTION_MAX},
	{.name = "hls", .of = "ap_fixed as declared", .round = MCH_ROUND_FLOOR, .wraps = true, .weight_round = MCH_ROUND_FLOOR,
	 .calibration = MCH_FRACTION_MAX, .weight_calibration = MCH_FRACTION_MAX, .has_unsigned = true},
};

const struct mch_profile *mch_profile_find(const char *name)
{
	for (int i = 0; i < MCH_N_PROFILES; i++)
		if (strcmp(mch_profiles[i].name, name) == 0)
			return &mch_profiles[i];
	return NULL;
}

void mch_profile_apply(const struct mch_profile *profile, struct mch_format_policy *policy)
{
	policy->activations.rule = profile->calibration;
	policy->weights.rule = profile->weight_calibration;
	policy->weight_round = profile->weight_round;
	policy->has_unsigned = profile->has_unsigned;
	policy->per_channel = profile->per_channel;
}
