# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Macchiato authors
# A decode error is no error.
s/beat \&\& rresp_i\[1\]/beat \&\& rresp_i == 2'b10/
