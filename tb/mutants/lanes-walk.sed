# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Macchiato authors
# After a depthwise walk the next tile begins where the walk ended.
s/last ? prow_next : nrow_q/prow_next/; s/last ? pcol_next : ncol_q/pcol_next/
