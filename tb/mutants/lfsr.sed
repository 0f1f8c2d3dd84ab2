# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Macchiato authors
# One tap is in the wrong place.
s/b400/b200/
