// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Macchiato authors
// Registers and descriptor of the accelerator, made by scripts/make-map of rtl/mch_map.txt; change that. Of a field: place in its register or in the descriptor.
`define MCH_REG_ID                   8'h00            // "MCH1": says that this is the accelerator
`define MCH_REG_VERSION              8'h04            // version of this map
`define MCH_BITS_VERSION_MAP         0 +: 16          // 2
`define MCH_BITS_VERSION_ROWS        16 +: 8          // ROWS
`define MCH_BITS_VERSION_COLS        24 +: 8          // COLS
`define MCH_REG_BUILD                8'h08            // what was built
`define MCH_BITS_BUILD_X_BITS        0 +: 5           // X_BITS
`define MCH_BITS_BUILD_W_BITS        5 +: 5           // W_BITS
`define MCH_BITS_BUILD_OUT_BITS      10 +: 5          // OUT_BITS
`define MCH_BITS_BUILD_ACC_BITS      15 +: 6          // ACC_BITS
`define MCH_BITS_BUILD_ROUND         21 +: 3          // ROUND
`define MCH_BITS_BUILD_MEM_LOG2      24 +: 4          // log2 of MEM_BITS
`define MCH_BITS_BUILD_MULT          28 +: 2          // multiplier kind: 0 integer, 1 shift, 2 minifloat
`define MCH_REG_BUFFERS              8'h0c            // sizes of the buffers; of minifloats, what codes are
`define MCH_BITS_BUFFERS_X_LOG2      0 +: 8           // log2 of X_WORDS
`define MCH_BITS_BUFFERS_W_LOG2      8 +: 8           // log2 of W_WORDS
`define MCH_BITS_BUFFERS_X_KIND      16 +: 3          // X_KIND
`define MCH_BITS_BUFFERS_X_EXP       19 +: 3          // X_EXP
`define MCH_BITS_BUFFERS_W_KIND      22 +: 3          // W_KIND
`define MCH_BITS_BUFFERS_W_EXP       25 +: 3          // W_EXP
`define MCH_REG_CONTROL              8'h10            // commands
`define MCH_BITS_CONTROL_START       0 +: 1           // run the list at LIST; ignored while busy
`define MCH_BITS_CONTROL_RESET       1 +: 1           // soft reset: stop, wait for the bus, clear
`define MCH_REG_STATUS               8'h14            // what it does
`define MCH_BITS_STATUS_BUSY         0 +: 1           // a list runs
`define MCH_BITS_STATUS_DRAINING     1 +: 1           // stopped, and the bus still owes answers
`define MCH_BITS_STATUS_DONE         2 +: 1           // the list came to its end
`define MCH_BITS_STATUS_ERROR        4 +: 4           // an error stopped it: value ERROR_*
`define MCH_BITS_STATUS_FIELD        8 +: 8           // of ERROR_DESCRIPTOR: the descriptor's 32-bit word that is illegal
`define MCH_BITS_STATUS_INDEX        16 +: 16         // descriptors taken so far in this run; that of the error is the last of them
`define MCH_REG_IRQ                  8'h18            // interrupts that stand: irq_o is high while an enabled one stands
`define MCH_BITS_IRQ_DONE            0 +: 1           // the list came to its end
`define MCH_BITS_IRQ_ERROR           1 +: 1           // an error stopped it
`define MCH_REG_IRQ_ENABLE           8'h1c            // the same bits
`define MCH_REG_LIST                 8'h20            // word address of the first descriptor
`define MCH_REG_WATCHDOG             8'h24            // cycles without any progress that are an error; 0: never
`define MCH_REG_CYCLES               8'h28            // cycles of the last run, from start to end
`define MCH_REG_BEATS                8'h2c            // cycles in which the array took operands
`define MCH_REG_WAIT_X               8'h30            // cycles of computing without a beat for want of activations
`define MCH_REG_WAIT_W               8'h34            // cycles of computing without a beat for want of weights
`define MCH_REG_WAIT_OUT             8'h38            // cycles with a beat that the array or the store did not take
`define MCH_REG_READ_BEATS           8'h3c            // beats read from memory
`define MCH_REG_WRITE_BEATS          8'h40            // beats written to memory
`define MCH_OP_STOP                  0                // end of the list
`define MCH_OP_CONV                  1                // convolution, dense, and all that can be said as one
`define MCH_OP_MAX                   2                // maximum pool
`define MCH_OP_MEAN                  3                // mean pool
`define MCH_ERROR_NONE               0                // none
`define MCH_ERROR_DESCRIPTOR         1                // a descriptor is illegal; STATUS_FIELD says in which word
`define MCH_ERROR_STRIP              2                // a strip does not fit its buffer
`define MCH_ERROR_WEIGHTS            3                // a layer left weights unread
`define MCH_ERROR_READ               4                // the bus answered a read with an error
`define MCH_ERROR_WRITE              5                // the bus answered a write with an error
`define MCH_ERROR_WATCHDOG           6                // nothing moved for WATCHDOG cycles
`define MCH_D_OP                     0 +: 2           // value OP_*
`define MCH_D_BARRIER                4 +: 1           // read no activations before all that was written has arrived
`define MCH_D_RELU                   5 +: 1           // 
`define MCH_D_X0_SIGNED              6 +: 1           // 
`define MCH_D_X1_SIGNED              7 +: 1           // 
`define MCH_D_Y_SIGNED               8 +: 1           // 
`define MCH_D_Y_BITS                 16 +: 5          // 1..OUT_BITS
`define MCH_D_X0_ADDR                32 +: 32         // first input tensor, word address
`define MCH_D_X1_ADDR                64 +: 32         // second input tensor: its blocks follow those of the first
`define MCH_D_X_STEP                 96 +: 32         // words from a block of channels to the next, in memory
`define MCH_D_X0_BLOCKS              128 +: 16        // blocks of the first input, 1 or more
`define MCH_D_X1_BLOCKS              144 +: 16        // blocks of the second, 0: there is none
`define MCH_D_X0_LAST                160 +: 8         // channels in the last block of the first input, 1..COLS
`define MCH_D_X1_LAST                168 +: 8         // the same of the second, when there is one
`define MCH_D_IN_W                   192 +: 16        // input columns
`define MCH_D_OUT_Q                  208 +: 16        // output columns
`define MCH_D_KERNEL_R               224 +: 8         // 
`define MCH_D_KERNEL_S               232 +: 8         // 
`define MCH_D_Y_BLOCKS               240 +: 16        // output blocks
`define MCH_D_STRIDE_W               256 +: 8         // 
`define MCH_D_DILATION_W             264 +: 8         // 
`define MCH_D_PAD_LEFT               272 +: 8         // 
`define MCH_D_PIXELS                 288 +: 32        // output pixels: rows times columns
`define MCH_D_ROW_STEP               320 +: 32        // stride_h * in_w
`define MCH_D_TAP_STEP               352 +: 32        // dilation_h * in_w
`define MCH_D_PAD_WORDS              384 +: 32        // pad_top * in_w
`define MCH_D_MAP_WORDS              416 +: 32        // in_h * in_w
`define MCH_D_REACH                  448 +: 32        // ((kernel_r - 1) * dilation_h + 1) * in_w
`define MCH_D_Q_END                  480 +: 32        // out_q * stride_w
`define MCH_D_TILES                  512 +: 16        // tiles of ROWS pixels in a strip
`define MCH_D_STRIP_PIXELS           544 +: 32        // tiles * ROWS
`define MCH_D_STRIP_Q                576 +: 16        // STRIP_PIXELS mod out_q
`define MCH_D_STRIP_ROWS             608 +: 32        // (STRIP_PIXELS div out_q) * ROW_STEP
`define MCH_D_W_ADDR                 640 +: 32        // weights and parameters, word address
`define MCH_D_W_WORDS                672 +: 32        // words of them that a strip reads
`define MCH_D_Y_ADDR                 704 +: 32        // output tensor, word address
`define MCH_D_Y_STEP                 736 +: 32        // words from an output block to the next
`define MCH_D_COUNT_WORDS            768 +: 32        // mean: positions count above this row word: (in_h + pad_bottom) * in_w when padding counts, else MAP_WORDS
`define MCH_D_COUNT_W                800 +: 16        // mean: and left of this column: in_w + pad_right when padding counts, else in_w
`define MCH_D_COUNT_PAD              816 +: 1         // mean: padding counts
`define MCH_D_TAPS                   824 +: 8         // conv: not 0: a depthwise one, each walk along a row of the map gives so many positions of the window
`define MCH_D_USED                   1024'h000000000000000000000000000000000000000000000000ff01ffffffffffffffffffffffffffffffffffffffffffffffffffff0000ffffffffffff0000ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff00ffffffffffffffffffffff0000ffffffffffffffffffffffffffffffffffff001f01f3 // bits that a field has; the others are 0
