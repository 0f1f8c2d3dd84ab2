# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Macchiato authors
# An activation is always read as signed.
s/{is_signed & /{/
