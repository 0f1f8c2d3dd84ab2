# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Macchiato authors
# A burst on AW is overwritten by the next.
s/ \&\& (!awvalid_q || awready_i)//
