# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Macchiato authors
# Words of the strip before land in the half that is in use now.
s/wire land = old ? next_q : !next_q/wire land = !next_q/
