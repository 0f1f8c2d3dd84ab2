# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Macchiato authors
# Formulas of the accelerator's logic: least squares over the runs of scripts/measure-accelerator, for each group of units in the
# terms that it can have (cmodel/arch/cost.c computes the same terms). Their error is that of the whole of each build by the
# formulas that the other builds alone give.
#
# usage: awk -f fit-accelerator.awk cmodel/arch/mac_cost.inc cmodel/arch/accelerator_runs.txt
BEGIN {
	n_groups = split("datapath lanes pooler rest", group, " ")
	# 0: 1; 1: COLS; 2: COLS * bits; 3: COLS * ACC_BITS; 4: ROWS * COLS * bits; 5: that of the multipliers' lanes by themselves
	used["datapath"] = "0 1 3 5"
	used["lanes"] = "0 2 4"
	used["pooler"] = "0 1 2"
	used["rest"] = "0 2 3"
	N_TERMS = 6
}
FILENAME ~ /mac_cost/ && /^\{[0-9]/ {
	gsub(/[{},]/, " ")
	# With DSP slices: LUT, FF, DSP.
	lane[$1 == $2 ? $1 : 0, 0] = $7
	lane[$1 == $2 ? $1 : 0, 1] = $8
	lane[$1 == $2 ? $1 : 0, 2] = $10
	next
}
FILENAME ~ /mac_cost/ || /^#/ { next }
{
	b = $1 " " $2 " " $3 " " $4 " " $5 " " $6 " " $7
	if (!(b in seen)) {
		seen[b] = 1
		build[n++] = b
	}
	g = $8 in used ? $8 : "rest"
	sum[b, g, 0] += $9 + $10
	sum[b, g, 1] += $11
	whole[b, 0] += $9 + $10
	whole[b, 1] += $11
	whole[b, 2] += $13
	whole[b, 3] += $14
}

# Term t of build b; what: 0 LUT, 1 FF.
function term(b, t, what,    v) {
	split(b, v, " ")
	if (t == 0) return 1
	if (t == 1) return v[2]
	if (t == 2) return v[2] * v[3]
	if (t == 3) return v[2] * v[4]
	if (t == 4) return v[1] * v[2] * v[3]
	# Measured with 32 bits. A bit more is one in the bank and, outside of a slice, one in the accumulator.
	return v[1] * v[2] * (lane[v[3], what] + (v[4] - 32) * (lane[v[3], 2] ? 1 : 2))
}

# Coefficients c[0..] of group g without build `out` (-1: of all), relative errors weighted alike.
function solve(g, what, out,    t, k, i, j, r, m, w, f, a) {
	k = split(used[g], t, " ")
	for (i = 1; i <= k; i++)
		for (j = 1; j <= k + 1; j++)
			a[i, j] = 0
	for (m = 0; m < n; m++) {
		if (m == out)
			continue
		w = 1 / whole[build[m], what]
		for (i = 1; i <= k; i++) {
			f = term(build[m], t[i], what) * w
			for (j = 1; j <= k; j++)
				a[i, j] += f * term(build[m], t[j], what) * w
			a[i, k + 1] += f * sum[build[m], g, what] * w
		}
	}
	for (i = 1; i <= k; i++)
		for (r = 1; r <= k; r++) {
			if (r == i)
				continue
			f = a[r, i] / a[i, i]
			for (j = i; j <= k + 1; j++)
				a[r, j] -= f * a[i, j]
		}
	for (i = 0; i < N_TERMS; i++)
		c[i] = 0
	for (i = 1; i <= k; i++)
		c[t[i]] = a[i, k + 1] / a[i, i]
}

function guess(b, g, what,    i, y) {
	for (i = 0; i < N_TERMS; i++)
		y += c[i] * term(b, i, what)
	return y
}

# Of 36 Kbit, in the shape that takes the fewest; half of one where that is enough.
function blocks(depth, width,    d, w, best, i, k) {
	for (i = 0; i < 7; i++) {
		d = 512 * 2 ^ i
		w = i <= 3 ? 72 / 2 ^ i : 64 / 2 ^ i
		k = int((depth + d - 1) / d) * int((width + w - 1) / w)
		if (k == 1 && (depth <= d / 2 || 2 * width <= w))
			k = 0.5
		best = i == 0 || k < best ? k : best
	}
	return best
}

function abs(v) { return v < 0 ? -v : v }

END {
	for (what = 0; what < 2; what++) {
		for (m = 0; m < n; m++) {
			y = 0
			for (i = 1; i <= n_groups; i++) {
				solve(group[i], what, m)
				y += guess(build[m], group[i], what)
			}
			e = abs(100 * (y / whole[build[m], what] - 1))
			if (verbose)
				printf "%s  %s %d of %d: %.1f %%\n", build[m], what ? "FF" : "LUT", y, whole[build[m], what], e
			worst[what] = e > worst[what] ? e : worst[what]
			mean[what] += e / n
		}
		for (i = 1; i <= n_groups; i++) {
			solve(group[i], what, -1)
			text[i, what] = ""
			for (j = 0; j < N_TERMS; j++)
				text[i, what] = text[i, what] sprintf("%s%.4g", j ? ", " : "", c[j])
		}
	}
	if (verbose)
		for (m = 0; m < n; m++) {
			split(build[m], v, " ")
			word = v[2] * (v[3] <= 8 ? 8 : 16)
			print build[m], " BRAM", whole[build[m], 3], blocks(2 * v[6], word) + blocks(v[7], word), "DSP", whole[build[m], 2], v[1] * v[2] * lane[v[3], 2]
		}
	printf "/* Made by scripts/measure-accelerator --fit from %d builds: for each group of units LUT, then FF. */\n", n
	printf "/* Without the build in question: LUT within %.1f %%, %.1f %% on the mean; FF within %.1f %%, %.1f %%. */\n", worst[0], mean[0],
		worst[1], mean[1]
	print ".unit = {"
	for (i = 1; i <= n_groups; i++)
		printf "\t{\"%s\", {%s}, {%s}},\n", group[i], text[i, 0], text[i, 1]
	print "},"
	printf ".lut_error = %.1f,\n.ff_error = %.1f,\n", worst[0], worst[1]
}
