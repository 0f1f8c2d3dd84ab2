#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Macchiato authors
# A search that kill -9 ends at 20 moments, drawn by a seed, goes on each time and writes the very file of one that was never
# stopped: by part and by layer, on one thread and on two.
set -eu
macchiato=${top_builddir:?run me by make check}/macchiato
work=$(mktemp -d "${TMPDIR:-/tmp}/kill.XXXXXX")
trap 'rm -rf "$work"' EXIT
failed=0
cd "$work"
"$top_builddir/tests/make_quant_net" .

fail() {
	echo "FAIL: $*"
	failed=1
}

# search FILE THREADS OPTION...
search() {
	file=$1
	export OMP_NUM_THREADS="$2"
	shift 2
	exec "$macchiato" quantize small.onnx --data=. --error-margin=4 --quiet --seed=7 -o "$file" "$@"
}

now_ms() {
	date +%s%N | cut -c1-13
}

for granularity in part layer; do
	set -- --granularity=$granularity --cost=bitops --holdout=40 --pareto=front.csv
	start=$(now_ms)
	(search whole.json 1 "$@")
	took=$(($(now_ms) - start))
	mv front.csv whole.csv
	(search two.json 2 "$@")
	cmp whole.json two.json || fail "$granularity: two threads give another result"
	cmp whole.csv front.csv || fail "$granularity: two threads give another front"
	# Moments after the first score was written, within the time that the search takes, by a seeded generator; each run goes on where the
	# last was killed. The machine may be busy at one time and idle at another: a run that is done before its moment tells how long one
	# takes, and there are more moments until ten have left something to resume.
	n_here=0 try=0
	while [ $n_here -lt 10 ] && [ $try -lt 60 ]; do
		try=$((try + 1))
		ms=$(awk -v n=$try -v took="$took" 'BEGIN { srand(11); while (n-- > 0) at = rand(); print int(at * took) }')
		(search killed.json $((ms % 2 + 1)) "$@") &
		pid=$!
		until [ -e killed.json.part ] || ! kill -0 $pid 2>kill.txt; do
			sleep 0.002
		done
		sleep "$(awk -v ms="$ms" 'BEGIN { print ms / 1000 }')"
		kill -9 $pid 2>kill.txt || true
		wait $pid 2>wait.txt || true
		if [ -e killed.json.part ]; then
			n_here=$((n_here + 1))
			cp killed.json.part other.json.part
			(search other.json 1 "$@")
			cmp whole.json other.json || fail "$granularity, killed after $ms ms: another result"
			cmp whole.csv front.csv || fail "$granularity, killed after $ms ms: another front"
			# The next is killed earlier or later in the same search, sometimes further on.
			[ $((ms % 3)) = 0 ] && rm killed.json.part
		fi
		if [ -e killed.json ]; then
			cmp whole.json killed.json || fail "$granularity, done before it was killed: another result"
			rm -f killed.json killed.json.part
			took=$((ms > 4 ? ms * 3 / 4 : 3))
		fi
	done
	(search killed.json 2 "$@")
	cmp whole.json killed.json || fail "$granularity: killed: another result"
	rm -f killed.json ./*.part
	[ $n_here = 10 ] || fail "$granularity: of $try kills only $n_here left something to resume"
done
exit $failed
