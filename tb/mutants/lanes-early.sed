# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Macchiato authors
# A word is read before it has landed.
s/{1'b0, off0_q} < filled/{1'b0, off0_q} <= filled/
