/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* What other systems do where this program has a choice, for comparison. Host only: no RTL twin.
 * Spec: docs/quantize.md "Profiles". */
#ifndef MCH_QUANT_PROFILE_H
#define MCH_QUANT_PROFILE_H

#include "quant/policy.h"

struct mch_profile {
	const char *name, *of; /* "nvdla"; whose requantizer it is */
	enum mch_round round;  /* of requantizers */
	bool wraps;            /* outputs wrap instead of saturating */
	bool is_ladder;        /* Ristretto's search: 16, 8, 4, 2, 1 bits, each part alone, no step back */
	enum mch_round weight_round;
	enum mch_fraction calibration, weight_calibration;
	bool has_unsigned, per_channel;
};

enum { MCH_N_PROFILES = 7 };
extern const struct mch_profile mch_profiles[MCH_N_PROFILES];

/* NULL: there is none of that name. */
const struct mch_profile *mch_profile_find(const char *name);

/* Its choices of formats. */
void mch_profile_apply(const struct mch_profile *profile, struct mch_format_policy *policy);

#endif
