/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* One engine to a thread: what each thread of a parallel region says first, so that the operators inside it
 * neither start threads of their own nor choose kernels, scratch or an order of summation for more than one. A
 * region that happens to have one thread does not count as parallel for oneDNN, so nesting alone is not enough.
 * Host only: no RTL twin. */
#ifndef MCH_FAST_ONE_THREAD_H
#define MCH_FAST_ONE_THREAD_H

#ifdef _OPENMP
#include <omp.h>
#endif

/* Holds for this thread until the region ends. */
static inline void mch_one_thread(void)
{
#ifdef _OPENMP
	omp_set_num_threads(1);
#endif
}

#endif
