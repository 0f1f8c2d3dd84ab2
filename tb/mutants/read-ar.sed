# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Macchiato authors
# A burst overwrites the one that waits on AR.
s/ \&\& (!arvalid_q || arready_i);/;/
