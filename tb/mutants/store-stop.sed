# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Macchiato authors
# Bursts begin after a stop.
s/ \&\& !stop_i;/;/
