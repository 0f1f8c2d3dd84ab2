# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Macchiato authors
# Words go out before their burst is on AW.
s/assign read = ready_q != 0/assign read = words_q != 0/
