# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Macchiato authors
# Subnormal numbers are shifted as if they had all their mantissa.
s/wire is_normal = normal_places >= shift_i \&\&/wire is_normal =/
