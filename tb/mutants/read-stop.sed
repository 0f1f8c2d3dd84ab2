# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Macchiato authors
# A burst begins although the port is to stop.
s/ \&\& !stop_i//
