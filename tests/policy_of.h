/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* The usual policy of formats with one rule for activations and weights. */
#ifndef MCH_TESTS_POLICY_OF_H
#define MCH_TESTS_POLICY_OF_H

#include "quant/policy.h"

static inline const struct mch_format_policy *policy_of(enum mch_fraction rule)
{
	static struct mch_format_policy policy;
	policy = mch_format_policy_usual();
	policy.activations.rule = policy.weights.rule = rule;
	return &policy;
}

#endif
