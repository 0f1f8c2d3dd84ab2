# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Macchiato authors
# Pools are read where the lanes stand.
s/is_conv ? lanes_xr_addr : pooler_xr_addr/lanes_xr_addr/
