# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Macchiato authors
# What the lower product of a pair takes off the upper one is not put back.
s/, product, taken}/, product, 1'b0}/
