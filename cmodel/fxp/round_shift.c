/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Names of the rounding modes; see round_shift.h. */
#include "fxp/round_shift.h"

#include <string.h>

static const char *const names[MCH_N_ROUNDS] = {"floor", "half_up", "half_away", "half_even", "stochastic"};

const char *mch_round_name(enum mch_round round)
{
	return names[round];
}

int mch_round_parse(const char *name, enum mch_round *round)
{
	for (int i = 0; i < MCH_N_ROUNDS; i++) {
		if (strcmp(name, names[i]) == 0) {
			*round = (enum mch_round)i;
			return 0;
		}
	}
	return -1;
}
