# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Macchiato authors
# A build of minifloats takes means.
s/if (MEAN == 0 \&\& d/if (MEAN == 2 \&\& d/
