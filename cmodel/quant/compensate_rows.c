/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Rounding to the nearest plane of a lattice; see compensate.h. The error e of a row costs e' H e with H the covariance,
 * or |L' e|^2 with its Cholesky factor H = L L'. Component i of L' e holds e[i] and what lies behind it alone: from the
 * last term to the first, each is chosen to make its component small, given those that are fixed. */
#include <math.h>
#include <stdlib.h>

#include "quant/compensate.h"

struct place {
	double variance;
	int term;
};

static int ascending(const void *a, const void *b)
{
	const struct place *x = a, *y = b;
	if (x->variance != y->variance)
		return x->variance < y->variance ? -1 : 1;
	return x->term - y->term;
}

/* The factor of the terms in the order given into lower, [n][n]; covariance is only read. A hundredth of the mean variance on
 * the diagonal stands for the images that were not seen, and keeps all roots real. */
static void factor(const double *covariance, int n, const struct place *order, double *lower)
{
	double mean = 0;
	for (int i = 0; i < n; i++)
		mean += order[i].variance / n;
	const double damping = mean > 0 ? mean / 100 : 1;
	for (int i = 0; i < n; i++) {
		double *row = lower + (size_t)i * (size_t)n;
		for (int j = 0; j <= i; j++) {
			const double *other = lower + (size_t)j * (size_t)n;
			double sum = covariance[(size_t)order[i].term * (size_t)n + (size_t)order[j].term];
			for (int t = 0; t < j; t++)
				sum -= row[t] * other[t];
			if (i == j)
				row[j] = sqrt(sum + damping > damping / 2 ? sum + damping : damping / 2);
			else
				row[j] = sum / other[j];
		}
	}
}

/* errors [terms][k], in the order of the factor. */
static void round_term(float *weights, int k, int terms, const struct mch_format *format, int i, int term,
		       const double *lower, double *errors, double *pull)
{
	const double own = lower[(size_t)i * (size_t)terms + (size_t)i];
	for (int row = 0; row < k; row++)
		pull[row] = 0;
	for (int j = i + 1; j < terms; j++) {
		const double share = lower[(size_t)j * (size_t)terms + (size_t)i] / own, *e = errors + (size_t)j * (size_t)k;
		for (int row = 0; row < k; row++)
			pull[row] += share * e[row];
	}
	for (int row = 0; row < k; row++) {
		float *w = weights + (size_t)row * (size_t)terms + (size_t)term;
		const double wanted = (double)*w + pull[row];
		const double got = mch_format_real(format[row], mch_format_raw(format[row], wanted, MCH_ROUND_HALF_EVEN, NULL));
		errors[(size_t)i * (size_t)k + (size_t)row] = (double)*w - got;
		*w = (float)got;
	}
}

int mch_compensate_rows(float *weights, int k, int terms, const struct mch_format *format, const double *covariance)
{
	const size_t n = (size_t)terms;
	struct place *order = malloc(n * sizeof(*order));
	double *lower = malloc(n * n * sizeof(*lower)), *errors = malloc(n * (size_t)k * sizeof(*errors));
	double *pull = malloc((size_t)k * sizeof(*pull));
	const int status = order && lower && errors && pull ? 0 : -1;
	if (status == 0) {
		for (int i = 0; i < terms; i++)
			order[i] = (struct place){covariance[(size_t)i * n + (size_t)i], i};
		qsort(order, n, sizeof(*order), ascending);
		factor(covariance, terms, order, lower);
		for (int i = terms - 1; i >= 0; i--)
			round_term(weights, k, terms, format, i, order[i].term, lower, errors, pull);
	}
	free(order);
	free(lower);
	free(errors);
	free(pull);
	return status;
}
