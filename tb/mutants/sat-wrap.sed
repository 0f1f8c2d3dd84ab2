# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Macchiato authors
# A code that wraps keeps no sign above its bits.
s/| extension : clamped/: clamped/
