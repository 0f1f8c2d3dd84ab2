#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Macchiato authors
# macchiato.core has the modules of rtl/local.mk, the parameters of mch_top and the version of configure.ac; FuseSoC, where it is,
# lints it, and hands parameters on.
set -eu
cd "${top_srcdir:?run me by make check}"
work=$(mktemp -d "${TMPDIR:-/tmp}/macchiato.XXXXXX")
trap 'rm -rf "$work"' EXIT

# agree CORE: prints the difference
agree() {
	{
		sed -n 's,^AC_INIT(.*\[\(.*\)\])$,name \1,p' configure.ac
		sed -n 's,^\t\(rtl/mch_.*\.v\).*,file \1,p; s,^dist_rtl_DATA.* \(rtl/.*\),file \1,p' rtl/local.mk
		sed -n 's,^\tparameter \([A-Z_]*\) = .*,parameter \1,p' rtl/mch_top.v | sed 'p; s,parameter,passed,'
	} | LC_ALL=C sort >"$work/want"
	{
		sed -n 's,^name: .*:,name ,p; s,^      - \(rtl/[^:]*\).*,file \1,p; s,^  \([A-Z_]*\): .*vlogparam.*,parameter \1,p' "$1"
		sed -n 's,^    parameters: \[\(.*\)\],\1,p' "$1" | tr -d ' ' | tr ',' '\n' | sed 's,^,passed ,'
	} | LC_ALL=C sort >"$work/got"
	diff "$work/want" "$work/got"
}
agree macchiato.core || { echo "macchiato.core: not what configure.ac, rtl/local.mk and rtl/mch_top.v say, see above; mend it"; exit 1; }
[ "$(wc -l <"$work/got")" -gt 20 ] || { echo "macchiato.core: hardly anything was compared; see agree()"; exit 99; }
for fault in /mch_sat/d s/PACK,// s/0\.1/0.0/; do
	sed "$fault" macchiato.core >"$work/faulty"
	! agree "$work/faulty" >"$work/out" || { echo "tests/cli/fusesoc.sh: $fault is not found; see agree()"; exit 1; }
done

if ! command -v fusesoc >"$work/out" || ! command -v verilator >"$work/out"; then
	echo "not linted by FuseSoC: SKIP; pip install fusesoc, and install the Debian package verilator"
	exit 0
fi
core=$PWD
cd "$work"
export XDG_DATA_HOME="$work" XDG_CACHE_HOME="$work" XDG_CONFIG_HOME="$work"
fusesoc --cores-root "$core" run --target=lint mch_top --ROWS=4 --COLS=4 >out 2>&1 || {
	cat out
	echo "macchiato.core: FuseSoC does not lint it, see above; mend it"
	exit 1
}
! fusesoc --cores-root "$core" run --target=lint mch_top --COLS=6 >out 2>&1 || { echo "macchiato.core: COLS=6 does not reach mch_top"; exit 1; }
grep -q mch_top_needs_COLS out || { cat out; echo "macchiato.core: COLS=6 is refused, but not by mch_top, see above"; exit 1; }
