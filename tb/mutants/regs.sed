# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Macchiato authors
# A write happens before its data have come.
s/wire write = aw_full_q && w_full_q && !bvalid_q;/wire write = aw_full_q \&\& !bvalid_q;/
