# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Macchiato authors
# A word waits until the one before is gone, not until its last beat is taken: a bubble in each word.
s/(!cur_valid_q || (beat_take_i \&\& top))/!cur_valid_q/
