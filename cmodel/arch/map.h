/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Registers and descriptor of the accelerator, made by scripts/make-map of rtl/mch_map.txt; change that.
 * Host only: no RTL twin. Spec: docs/accelerator.md. */
#ifndef MCH_ARCH_MAP_H
#define MCH_ARCH_MAP_H

/* clang-format off */
#define MCH_REG_ID                       0x00 /* ro: "MCH1": says that this is the accelerator */
#define MCH_REG_VERSION                  0x04 /* ro: version of this map */
#define MCH_LOW_VERSION_MAP              0 /* of VERSION, 16 bits: 2 */
#define MCH_BITS_VERSION_MAP             16
#define MCH_LOW_VERSION_ROWS             16 /* of VERSION, 8 bits: ROWS */
#define MCH_BITS_VERSION_ROWS            8
#define MCH_LOW_VERSION_COLS             24 /* of VERSION, 8 bits: COLS */
#define MCH_BITS_VERSION_COLS            8
#define MCH_REG_BUILD                    0x08 /* ro: what was built */
#define MCH_LOW_BUILD_X_BITS             0 /* of BUILD, 5 bits: X_BITS */
#define MCH_BITS_BUILD_X_BITS            5
#define MCH_LOW_BUILD_W_BITS             5 /* of BUILD, 5 bits: W_BITS */
#define MCH_BITS_BUILD_W_BITS            5
#define MCH_LOW_BUILD_OUT_BITS           10 /* of BUILD, 5 bits: OUT_BITS */
#define MCH_BITS_BUILD_OUT_BITS          5
#define MCH_LOW_BUILD_ACC_BITS           15 /* of BUILD, 6 bits: ACC_BITS */
#define MCH_BITS_BUILD_ACC_BITS          6
#define MCH_LOW_BUILD_ROUND              21 /* of BUILD, 3 bits: ROUND */
#define MCH_BITS_BUILD_ROUND             3
#define MCH_LOW_BUILD_MEM_LOG2           24 /* of BUILD, 4 bits: log2 of MEM_BITS */
#define MCH_BITS_BUILD_MEM_LOG2          4
#define MCH_LOW_BUILD_MULT               28 /* of BUILD, 2 bits: multiplier kind: 0 integer, 1 shift, 2 minifloat */
#define MCH_BITS_BUILD_MULT              2
#define MCH_REG_BUFFERS                  0x0c /* ro: sizes of the buffers; of minifloats, what codes are */
#define MCH_LOW_BUFFERS_X_LOG2           0 /* of BUFFERS, 8 bits: log2 of X_WORDS */
#define MCH_BITS_BUFFERS_X_LOG2          8
#define MCH_LOW_BUFFERS_W_LOG2           8 /* of BUFFERS, 8 bits: log2 of W_WORDS */
#define MCH_BITS_BUFFERS_W_LOG2          8
#define MCH_LOW_BUFFERS_X_KIND           16 /* of BUFFERS, 3 bits: X_KIND */
#define MCH_BITS_BUFFERS_X_KIND          3
#define MCH_LOW_BUFFERS_X_EXP            19 /* of BUFFERS, 3 bits: X_EXP */
#define MCH_BITS_BUFFERS_X_EXP           3
#define MCH_LOW_BUFFERS_W_KIND           22 /* of BUFFERS, 3 bits: W_KIND */
#define MCH_BITS_BUFFERS_W_KIND          3
#define MCH_LOW_BUFFERS_W_EXP            25 /* of BUFFERS, 3 bits: W_EXP */
#define MCH_BITS_BUFFERS_W_EXP           3
#define MCH_REG_CONTROL                  0x10 /* wo: commands */
#define MCH_LOW_CONTROL_START            0 /* of CONTROL, 1 bits: run the list at LIST; ignored while busy */
#define MCH_BITS_CONTROL_START           1
#define MCH_LOW_CONTROL_RESET            1 /* of CONTROL, 1 bits: soft reset: stop, wait for the bus, clear */
#define MCH_BITS_CONTROL_RESET           1
#define MCH_REG_STATUS                   0x14 /* ro: what it does */
#define MCH_LOW_STATUS_BUSY              0 /* of STATUS, 1 bits: a list runs */
#define MCH_BITS_STATUS_BUSY             1
#define MCH_LOW_STATUS_DRAINING          1 /* of STATUS, 1 bits: stopped, and the bus still owes answers */
#define MCH_BITS_STATUS_DRAINING         1
#define MCH_LOW_STATUS_DONE              2 /* of STATUS, 1 bits: the list came to its end */
#define MCH_BITS_STATUS_DONE             1
#define MCH_LOW_STATUS_ERROR             4 /* of STATUS, 4 bits: an error stopped it: value ERROR_* */
#define MCH_BITS_STATUS_ERROR            4
#define MCH_LOW_STATUS_FIELD             8 /* of STATUS, 8 bits: of ERROR_DESCRIPTOR: the descriptor's 32-bit word that is illegal */
#define MCH_BITS_STATUS_FIELD            8
#define MCH_LOW_STATUS_INDEX             16 /* of STATUS, 16 bits: descriptors taken so far in this run; that of the error is the last of them */
#define MCH_BITS_STATUS_INDEX            16
#define MCH_REG_IRQ                      0x18 /* w1c: interrupts that stand: irq_o is high while an enabled one stands */
#define MCH_LOW_IRQ_DONE                 0 /* of IRQ, 1 bits: the list came to its end */
#define MCH_BITS_IRQ_DONE                1
#define MCH_LOW_IRQ_ERROR                1 /* of IRQ, 1 bits: an error stopped it */
#define MCH_BITS_IRQ_ERROR               1
#define MCH_REG_IRQ_ENABLE               0x1c /* rw: the same bits */
#define MCH_REG_LIST                     0x20 /* rw: word address of the first descriptor */
#define MCH_REG_WATCHDOG                 0x24 /* rw: cycles without any progress that are an error; 0: never */
#define MCH_REG_CYCLES                   0x28 /* ro: cycles of the last run, from start to end */
#define MCH_REG_BEATS                    0x2c /* ro: cycles in which the array took operands */
#define MCH_REG_WAIT_X                   0x30 /* ro: cycles of computing without a beat for want of activations */
#define MCH_REG_WAIT_W                   0x34 /* ro: cycles of computing without a beat for want of weights */
#define MCH_REG_WAIT_OUT                 0x38 /* ro: cycles with a beat that the array or the store did not take */
#define MCH_REG_READ_BEATS               0x3c /* ro: beats read from memory */
#define MCH_REG_WRITE_BEATS              0x40 /* ro: beats written to memory */
#define MCH_OP_STOP                      0 /* end of the list */
#define MCH_OP_CONV                      1 /* convolution, dense, and all that can be said as one */
#define MCH_OP_MAX                       2 /* maximum pool */
#define MCH_OP_MEAN                      3 /* mean pool */
#define MCH_ERROR_NONE                   0 /* none */
#define MCH_ERROR_DESCRIPTOR             1 /* a descriptor is illegal; STATUS_FIELD says in which word */
#define MCH_ERROR_STRIP                  2 /* a strip does not fit its buffer */
#define MCH_ERROR_WEIGHTS                3 /* a layer left weights unread */
#define MCH_ERROR_READ                   4 /* the bus answered a read with an error */
#define MCH_ERROR_WRITE                  5 /* the bus answered a write with an error */
#define MCH_ERROR_WATCHDOG               6 /* nothing moved for WATCHDOG cycles */

#include <stdint.h>

/* X(member, 32-bit word, low bit, bits) */
#define MCH_DESCRIPTOR_FIELDS(X) \
	X(op, 0, 0, 2) \
	X(barrier, 0, 4, 1) \
	X(relu, 0, 5, 1) \
	X(x0_signed, 0, 6, 1) \
	X(x1_signed, 0, 7, 1) \
	X(y_signed, 0, 8, 1) \
	X(y_bits, 0, 16, 5) \
	X(x0_addr, 1, 0, 32) \
	X(x1_addr, 2, 0, 32) \
	X(x_step, 3, 0, 32) \
	X(x0_blocks, 4, 0, 16) \
	X(x1_blocks, 4, 16, 16) \
	X(x0_last, 5, 0, 8) \
	X(x1_last, 5, 8, 8) \
	X(in_w, 6, 0, 16) \
	X(out_q, 6, 16, 16) \
	X(kernel_r, 7, 0, 8) \
	X(kernel_s, 7, 8, 8) \
	X(y_blocks, 7, 16, 16) \
	X(stride_w, 8, 0, 8) \
	X(dilation_w, 8, 8, 8) \
	X(pad_left, 8, 16, 8) \
	X(pixels, 9, 0, 32) \
	X(row_step, 10, 0, 32) \
	X(tap_step, 11, 0, 32) \
	X(pad_words, 12, 0, 32) \
	X(map_words, 13, 0, 32) \
	X(reach, 14, 0, 32) \
	X(q_end, 15, 0, 32) \
	X(tiles, 16, 0, 16) \
	X(strip_pixels, 17, 0, 32) \
	X(strip_q, 18, 0, 16) \
	X(strip_rows, 19, 0, 32) \
	X(w_addr, 20, 0, 32) \
	X(w_words, 21, 0, 32) \
	X(y_addr, 22, 0, 32) \
	X(y_step, 23, 0, 32) \
	X(count_words, 24, 0, 32) \
	X(count_w, 25, 0, 16) \
	X(count_pad, 25, 16, 1) \
	X(taps, 25, 24, 8) \

struct mch_descriptor {
	uint32_t op; /* value OP_* */
	uint32_t barrier; /* read no activations before all that was written has arrived */
	uint32_t relu; /* 1 bits */
	uint32_t x0_signed; /* 1 bits */
	uint32_t x1_signed; /* 1 bits */
	uint32_t y_signed; /* 1 bits */
	uint32_t y_bits; /* 1..OUT_BITS */
	uint32_t x0_addr; /* first input tensor, word address */
	uint32_t x1_addr; /* second input tensor: its blocks follow those of the first */
	uint32_t x_step; /* words from a block of channels to the next, in memory */
	uint32_t x0_blocks; /* blocks of the first input, 1 or more */
	uint32_t x1_blocks; /* blocks of the second, 0: there is none */
	uint32_t x0_last; /* channels in the last block of the first input, 1..COLS */
	uint32_t x1_last; /* the same of the second, when there is one */
	uint32_t in_w; /* input columns */
	uint32_t out_q; /* output columns */
	uint32_t kernel_r; /* 8 bits */
	uint32_t kernel_s; /* 8 bits */
	uint32_t y_blocks; /* output blocks */
	uint32_t stride_w; /* 8 bits */
	uint32_t dilation_w; /* 8 bits */
	uint32_t pad_left; /* 8 bits */
	uint32_t pixels; /* output pixels: rows times columns */
	uint32_t row_step; /* stride_h * in_w */
	uint32_t tap_step; /* dilation_h * in_w */
	uint32_t pad_words; /* pad_top * in_w */
	uint32_t map_words; /* in_h * in_w */
	uint32_t reach; /* ((kernel_r - 1) * dilation_h + 1) * in_w */
	uint32_t q_end; /* out_q * stride_w */
	uint32_t tiles; /* tiles of ROWS pixels in a strip */
	uint32_t strip_pixels; /* tiles * ROWS */
	uint32_t strip_q; /* STRIP_PIXELS mod out_q */
	uint32_t strip_rows; /* (STRIP_PIXELS div out_q) * ROW_STEP */
	uint32_t w_addr; /* weights and parameters, word address */
	uint32_t w_words; /* words of them that a strip reads */
	uint32_t y_addr; /* output tensor, word address */
	uint32_t y_step; /* words from an output block to the next */
	uint32_t count_words; /* mean: positions count above this row word: (in_h + pad_bottom) * in_w when padding counts, else MAP_WORDS */
	uint32_t count_w; /* mean: and left of this column: in_w + pad_right when padding counts, else in_w */
	uint32_t count_pad; /* mean: padding counts */
	uint32_t taps; /* conv: not 0: a depthwise one, each walk along a row of the map gives so many positions of the window */
};

/* Bits of each word that a field has; the others are 0. */
#define MCH_DESCRIPTOR_USED { \
	0x001f01f3, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0x0000ffff, 0xffffffff, 0xffffffff, \
	0x00ffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, \
	0x0000ffff, 0xffffffff, 0x0000ffff, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, \
	0xffffffff, 0xff01ffff, 0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x00000000}

/* clang-format on */

#endif
