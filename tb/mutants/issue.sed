# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Macchiato authors
# Parameters are loaded one stage before their tile enters the bank.
s/(done_q \&\& in_ready_i)/(mark1_q \&\& in_ready_i)/
