# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Macchiato authors
# No fetch leaves while the word of another stands: every second cycle is lost.
s/wire go0 = v0_q && there && (!v1_q || go1);/wire go0 = v0_q \&\& there \&\& !v1_q;/
