/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Oracle of fxp/: written from docs/datapath.md alone, slow, by division and comparison of exact integers of 128
 * bits. It shares no code with cmodel/, not even the names of the rounding modes: `mode` is the number in the
 * document. */
#ifndef MCH_TESTS_ORACLE_SLOW_FXP_H
#define MCH_TESTS_ORACLE_SLOW_FXP_H

#include <stdbool.h>
#include <stdint.h>

#define slow_int __int128

/* v * 2^-shift rounded; any shift up to 100, any v that leaves room. */
slow_int slow_round_shift(slow_int v, int shift, int mode, uint32_t noise);

slow_int slow_lowest(int bits, bool is_signed);
slow_int slow_highest(int bits, bool is_signed);
slow_int slow_sat(slow_int v, int bits, bool is_signed, bool *saturated);
slow_int slow_wrap(slow_int v, int bits);

/* acc + x * w, brought into `bits` by sat (saturating) or wrap. */
slow_int slow_mac(int bits, bool saturating, slow_int acc, slow_int x, slow_int w, bool *overflowed);

/* One step of the register, bit by bit, and the state that channel k starts from. */
uint32_t slow_lfsr_next(uint32_t state);
uint32_t slow_lfsr_seed(uint32_t seed, int k);

/* The real number to a code of the format; modes 0 to 3. And back. */
slow_int slow_format_raw(int bits, int frac, bool is_signed, double real, int mode, bool *saturated);
double slow_format_real(int frac, slow_int raw);

/* y = sat(round_shift(relu(acc + bias))). */
slow_int slow_requant(int bits, bool is_signed, bool relu, int mode, slow_int acc, slow_int bias, int shift,
		      uint32_t noise, bool *saturated);

#endif
