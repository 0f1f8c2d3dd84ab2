# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Macchiato authors
# An interrupt that comes with its acknowledgement is lost.
s/irq_q <= (irq_q & ~(w_irq ? wdata_q\[1:0\] : 2'b00)) | {error_i, done_i};/irq_q <= (irq_q | {error_i, done_i}) \& ~(w_irq ? wdata_q[1:0] : 2'b00);/
