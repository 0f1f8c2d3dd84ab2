# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Macchiato authors
# Every code is extended by its top bit, unsigned ones too.
s/row_signed_i \&\& row_i\[/row_i[/
