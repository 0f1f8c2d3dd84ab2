# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Macchiato authors
# Every beat of the last word is the last.
s/fifo_last \&\& part_last/fifo_last/
