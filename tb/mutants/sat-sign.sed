# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Macchiato authors
# A negative value passes as an unsigned code of full width.
s/ | (negative \& !y_signed_i)//
