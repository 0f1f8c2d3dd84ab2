# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Macchiato authors
# A wide beat is read from its first word on, wherever the burst begins.
s/{{N_BITS{1'b0}}, slot_q\[get_q\]}/{S_BITS+N_BITS{1'b0}}/
