# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Macchiato authors
EXTRA_DIST += \
	scripts/sim \
	scripts/verilate
