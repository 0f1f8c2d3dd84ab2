/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* What a share counted on few images says of the share on all. Host only: no RTL twin. */
#ifndef MCH_NET_INTERVAL_H
#define MCH_NET_INTERVAL_H

struct mch_interval {
	double low, high; /* percent */
};

/* 95 %: Wilson, "Probable Inference, the Law of Succession, and Statistical Inference", 1927. 0 <= n_right <= n; 0 to 100 % when n
 * is 0. */
struct mch_interval mch_interval_95(int n_right, int n);

#endif
