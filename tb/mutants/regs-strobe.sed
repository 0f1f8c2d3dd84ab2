# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Macchiato authors
# Byte strobes are ignored.
s/wire whole = write && wstrb_q == 4'hf;/wire whole = write;/
