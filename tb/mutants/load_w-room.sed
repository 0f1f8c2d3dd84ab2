# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Macchiato authors
# Room counts words that have landed, not those that are on their way.
s/FULL - used_q >= /FULL - fill_q >= /
