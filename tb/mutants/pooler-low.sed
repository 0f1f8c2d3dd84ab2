# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Macchiato authors
# Outside of the map is 0, which wins over negative codes.
s/wire low = max && is_signed;/wire low = 1'b0;/
