# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Macchiato authors
# Rows behind the last valid pixel are kept.
s/row_take \&\& {1'b0, row_q} < command\[7:1\]/row_take/
