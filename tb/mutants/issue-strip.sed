# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Macchiato authors
# The second strip is written where the first was.
s/strip_addr_q + strip_pixels/strip_addr_q/
