/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* The C side of macchiato_pkg.sv, where every function is documented; the SystemVerilog name of mch_dpi_X is mch_X. It calls
 * cmodel and computes nothing itself. Types are those that IEEE 1800-2012 annex H gives to the arguments, spelled without a
 * simulator's svdpi.h: a packed vector or struct is uint32_t * (svBitVecVal), an open array void * (svOpenArrayHandle), a
 * bit unsigned char (svBit). tb/check_dpi compiles it together with svdpi.h and the prototypes that Verilator makes of the
 * package.
 *
 * An int result is a status: 0, or -1 when an argument is illegal; mch_dpi_error then has the message. Outputs are
 * written only with 0. Not for several threads. */
#ifndef MACCHIATO_DPI_H
#define MACCHIATO_DPI_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

const char *mch_dpi_error(void);
long long mch_dpi_random(long long *state);

/* Floor 1. */
int mch_dpi_sat(long long v, int bits, unsigned char is_signed, long long *y, unsigned char *saturated);
int mch_dpi_wrap(long long v, int bits, unsigned char is_signed, long long *y);
int mch_dpi_round_shift(long long v, int shift, int round, int noise, long long *y);
int mch_dpi_encode(const uint32_t *out, long long v, int shift, int noise, int *y, unsigned char *saturated);
int mch_dpi_integer(int bits, unsigned char is_signed, int kind, int exp, int memory, long long *integer);
int mch_dpi_lfsr_seed(int seed, int channel, int *state);
int mch_dpi_lfsr_next(int state, int *next);
int mch_dpi_acc_add(const uint32_t *acc_of, long long acc, long long addend, long long *y, unsigned char *over);
int mch_dpi_mac(const uint32_t *acc_of, long long acc, int x, int w, long long *y, unsigned char *over);
int mch_dpi_dot(const uint32_t *acc_of, long long acc, void *x, void *w, long long *y, unsigned char *over);

/* Floor 3. */
int mch_dpi_requant(const uint32_t *out, long long acc, long long bias, int shift, int noise, int *y,
		    unsigned char *saturated);
int mch_dpi_requant_tensor(const uint32_t *out, int seed, int n, int pixels, void *bias, void *shift, void *acc, void *y,
			   long long *n_saturated);
const char *mch_dpi_requant_hint(const uint32_t *out, long long acc, long long bias, int shift, int noise, int y,
				 unsigned char saturated);
int mch_dpi_conv(const uint32_t *geometry, const uint32_t *acc_of, void *x, void *w, void *acc, long long *n_over);
int mch_dpi_conv_pixel(const uint32_t *geometry, const uint32_t *acc_of, void *x, void *w, int n, int k, int p, int q,
		       long long *acc, unsigned char *over);
int mch_dpi_dense(const uint32_t *acc_of, void *x, void *w, void *acc, long long *n_over);
int mch_dpi_pool_max(const uint32_t *geometry, void *x, void *y);
int mch_dpi_pool_avg(const uint32_t *geometry, const uint32_t *out, int shift, void *x, void *y);
int mch_dpi_eltwise(int kind, int left_a, int left_b, unsigned char is_b_taken_off, void *a, void *b, void *acc);

/* The MAC array, cycle by cycle. */
int mch_dpi_array_new(const uint32_t *config, void **array);
int mch_dpi_array_free(void *array);
int mch_dpi_array_reset(void *array);
int mch_dpi_array_pins(void *array, unsigned char *in_ready, unsigned char *out_valid, unsigned char *idle, uint32_t *acc,
		       uint32_t *over);
int mch_dpi_array_check(void *array, unsigned char in_ready, unsigned char out_valid, unsigned char idle, const uint32_t *acc,
			const uint32_t *over, unsigned char *agrees);
int mch_dpi_array_step(void *array, unsigned char in_valid, unsigned char in_first, unsigned char in_last,
		       unsigned char x_signed, unsigned char out_ready, const uint32_t *x, const uint32_t *w);

/* The array with its requantizers, cycle by cycle. */
int mch_dpi_datapath_new(const uint32_t *config, void **datapath);
int mch_dpi_datapath_free(void *datapath);
int mch_dpi_datapath_reset(void *datapath);
int mch_dpi_datapath_layer(void *datapath, unsigned char x_signed, unsigned char relu, unsigned char y_signed, int y_bits);
int mch_dpi_datapath_load(void *datapath, const uint32_t *bias, const uint32_t *shift, const uint32_t *noise);
int mch_dpi_datapath_sum(void *datapath, const uint32_t *sum);
int mch_dpi_datapath_pins(void *datapath, unsigned char out_ready, unsigned char *in_ready, unsigned char *sum_ready,
			  unsigned char *out_valid, unsigned char *idle, uint32_t *y, uint32_t *sat);
int mch_dpi_datapath_check(void *datapath, unsigned char out_ready, unsigned char in_ready, unsigned char sum_ready,
			   unsigned char out_valid, unsigned char idle, const uint32_t *y, const uint32_t *sat, unsigned char *agrees);
int mch_dpi_datapath_step(void *datapath, unsigned char in_valid, unsigned char in_first, unsigned char in_last,
			  unsigned char out_ready, const uint32_t *x, const uint32_t *w);

/* The mismatch report. */
int mch_dpi_report_about(const char *where, const char *module_name, const char *scope, const char *redo, long long case_number,
			 long long seed);
int mch_dpi_report_in(const char *name, long long value, int bits, unsigned char is_signed);
int mch_dpi_report_out(const char *name, long long want, long long got, int bits, unsigned char is_signed);
int mch_dpi_report_print(const char *place, const char *hint);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif

#endif
