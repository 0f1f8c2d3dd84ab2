# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Macchiato authors
# A negative power is shifted by its code as it stands.
s/places = w\[W_BITS-2:0\] ^ .*/places = w[W_BITS-2:0];/
