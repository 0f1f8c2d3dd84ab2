# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Macchiato authors
# A depthwise beat gives every column the first channel of its run.
s/depthwise_q ? run : {X_COLS{one}}/{X_COLS{one}}/
