# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Macchiato authors
# The accumulator saturates one code early at the high rail.
s/{(ACC_BITS-1){!v\[SUM_BITS-1\]}}}/{(ACC_BITS-2){!v[SUM_BITS-1]}}, 1'b0}/
