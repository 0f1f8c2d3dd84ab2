/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Confidence of a share; see interval.h. */
#include "net/interval.h"

#include <math.h>

struct mch_interval mch_interval_95(int n_right, int n)
{
	if (n == 0)
		return (struct mch_interval){0, 100};
	const double z = 1.959963984540054, share = (double)n_right / n, zz = z * z / n;
	const double middle = (share + zz / 2) / (1 + zz);
	const double reach = z * sqrt(share * (1 - share) / n + zz / (4 * n)) / (1 + zz);
	return (struct mch_interval){n_right == 0 ? 0 : 100 * (middle - reach), n_right == n ? 100 : 100 * (middle + reach)};
}
