# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Macchiato authors
# expand(i, line): line with words i to NF of the record behind it, where a word KEY=VALUE,VALUE... stands for one word for each value. Calls
# emit(line), which the program that includes this defines, for each combination of them.
function expand(i, line,    n, j, values, key) {
	if (i > NF) {
		emit(line)
		return
	}
	key = $i
	if (!sub(/=.*/, "=", key)) {
		expand(i + 1, line " " $i)
		return
	}
	n = split(substr($i, length(key) + 1), values, ",")
	for (j = 1; j <= n; j++)
		expand(i + 1, line " " key values[j])
}
