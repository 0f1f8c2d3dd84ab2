# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Macchiato authors
# A build without depthwise layers takes them.
s/(is_pool || DEPTHWISE == 0) \&\& d/is_pool \&\& d/
