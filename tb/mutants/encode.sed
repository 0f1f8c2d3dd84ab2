# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Macchiato authors
# A tie goes away from zero, whatever the code.
s/assign up = shifted\[0\] & (below | is_odd);/assign up = shifted[0];/
