# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Macchiato authors
# An activation is always read as signed.
s/{x_signed_i \& (x_i\[/{(x_i[/
