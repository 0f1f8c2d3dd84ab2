# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Macchiato authors
# A word leaves before its command has been taken.
s/wire commanded = full_q && (!cmd_valid_q || early_q);/wire commanded = full_q;/
