# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Macchiato authors
# The next descriptor is fetched although weights of this one are still to be asked for.
s/moved_q && x_done_i && w_done_i) state_q/moved_q \&\& x_done_i) state_q/
