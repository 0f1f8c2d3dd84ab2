# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Macchiato authors
# A word is read when its place is the next to be written.
s/{1'b0, off0_q} < filled;/{1'b0, off0_q} <= filled;/
