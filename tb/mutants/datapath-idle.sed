# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Macchiato authors
# Idle is told while the requantizers still hold rows.
s/assign idle_o      = array_idle && y_idle\[0\];/assign idle_o      = array_idle;/
