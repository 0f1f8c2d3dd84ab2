#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Macchiato authors
# `macchiato gen OP | simulator | macchiato ver OP` of every operator; what `ver` says of planted faults and of streams that it
# cannot judge, to the letter; the texts of bad options.
#
# shellcheck disable=SC2016 # messages quote commands as `this`
set -eu
macchiato=${top_builddir:?run me by make check}/macchiato
work=$(mktemp -d "${TMPDIR:-/tmp}/gen.XXXXXX")
trap 'rm -rf "$work"' EXIT
failed=0
cd "$work"

fail() {
	echo "FAIL: $*"
	failed=1
}

# ver STATUS TEXT ARGUMENT... <results: its status and all it prints, but for the lines of a report.
ver() {
	want_status=$1 want=$2 status=0
	shift 2
	"$macchiato" ver "$@" >out.txt 2>err.txt || status=$?
	[ "$status" = "$want_status" ] || fail "ver $*: exit $status, not $want_status"
	got=$(grep -v -e '^  ' -e MISMATCH out.txt err.txt | sed 's/^[a-z]*\.txt://')
	[ "$got" = "$want" ] || fail "ver $*: \"$got\", not \"$want\""
}

# refuse TEXT ARGUMENT...: exit 2, and TEXT is the whole message.
refuse() {
	want=$1 status=0
	shift
	"$macchiato" "$@" >out.txt 2>err.txt </dev/null || status=$?
	[ "$status" = 2 ] || fail "macchiato $*: exit $status, not 2"
	[ "$(cat err.txt)" = "macchiato: $want" ] || fail "macchiato $*: $(cat err.txt)"
	[ ! -s out.txt ] || fail "macchiato $*: wrote to stdout"
}

# agree OP [OPTION...]: whole files, with and without their options; level 2; the same cases alone and as bare lines.
n=0
agree() {
	op=$1
	shift
	"$macchiato" gen "$op" "$@" --cases=40 -o whole.vec || fail "gen $op $*"
	"$macchiato" gen "$op" "$@" --cases=40 --stimulus >lines.txt || fail "gen $op $* --stimulus"
	ver 0 "$op: 40 cases agree" "$op" whole.vec
	ver 0 "$op: 40 cases agree" "$op" whole.vec "$@"
	grep -v '^#' whole.vec | sed 's/ :.*/ :/' | cmp -s - lines.txt || fail "gen $op $*: the lines are not those of the file"
	grep -v '^#' whole.vec | tr a-f A-F | ver 0 "$op: 40 cases agree" "$op" "$@" --cases=40
	"$macchiato" gen "$op" "$@" --case=33 | grep -v '^#' >one.txt
	[ "$(cat one.txt)" = "$(grep -v '^#' whole.vec | sed -n 34p)" ] || fail "gen $op $*: --case=33 is another case"
	"$macchiato" gen "$op" "$@" --level=2 --cases=300 | ver 0 "$op: 300 cases agree" "$op"
	n=$((n + 1))
}

for op in $("$macchiato" gen --list | sed -n 's/^\([a-z_][a-z_]*\) .*/\1/p'); do
	agree "$op"
done
[ "$n" -ge 20 ] || fail "only $n operators in the list"
while read -r line; do
	# shellcheck disable=SC2086 # words
	agree $line
done <<END
round_shift --in=s33.7 --shift=-8:30 --round=stochastic
sat --in=s20.3 --out=u6.3 --wrap --no-flags
requant --in=u8.5 --weights=s5.3 --acc-bits=40 --shift=-3:24 --round=half_away --relu --clip=0:96 --out=u8.4
requant --out=e4m3fn.9 --round=stochastic --acc-bits=48
encode --out=ue3m5.4 --round=half_up --shift=-2:20
mac --acc-bits=12:saturate
dot --in=e4m3fn.9 --weights=e4m3.9 --out=e5m2ieee.16
dot --weights=p4nz.8 --terms=5
mac_array --array=2x3 --terms=7 --out=s6.2 --round=stochastic --no-bias
mac_array --array=3x2 --acc-bits=14:saturate
conv --shape=4x5x4 --kernel=3x2 --stride=2x1 --pad=1,0,2,1 --groups=2 --outputs=6 --out=s8.3 --relu
dense --shape=10 --outputs=3 --out=s8.2 --wrap
max_pool --in=e4m3fn.9 --kernel=3 --stride=2 --pad=1 --ceil
avg_pool --kernel=3 --stride=2 --pad=1 --count-pad --ceil --out=s6.3
global_pool --in=u8.5 --round=floor
add --in=s8.4,u8.7,s4.-2 --out=s8.2
mul --in=s8.4,s8.3 --out=s8.5 --round=floor
max --in=e4m3fn.9,e3m4.4
concat --shape=1x2x3,2x2x3,1x2x3 --in=s8.4,u8.5,s9.2 --out=s8.3 --round=stochastic
transpose --shape=2x3x4 --order=whc
upsample --shape=2x3x2 --scale=3
END

# Planted faults: the right outputs of another rule. Each line: the rule, what was asked for, and the hint.
while read -r op rule asked hint; do
	# shellcheck disable=SC2046 # words
	"$macchiato" gen "$op" $(echo "$rule" | tr , ' ') --cases=3000 | grep -v '^#' >wrong.txt
	status=0
	# shellcheck disable=SC2046 # words
	"$macchiato" ver "$op" $(echo "$asked" | tr , ' ') --json <wrong.txt >out.txt 2>report.txt || status=$?
	[ "$status" = 1 ] || fail "$op $rule for $asked: exit $status, not 1"
	grep -q "\"hint\": \".*$hint" out.txt || fail "$op $rule for $asked: no hint \"$hint\": $(cat out.txt report.txt)"
	grep -q "^  redo  macchiato gen $op" report.txt || fail "$op $rule for $asked: no redo"
	grep -q '"mismatches": [1-9]' out.txt || fail "$op $rule for $asked: nothing counted"
done <<END
requant --round=half_up --round=half_even agrees if ties go up
requant --round=floor --round=half_even agrees if the lost bits are dropped
requant --wrap --seed=1 agrees if the code wraps
requant --relu --seed=1 agrees if there is a ReLU
round_shift --round=half_up --round=half_away agrees if ties go up
mac_array --out=s8.4,--round=half_away --out=s8.4 if ties go away
mac_array --out=s8.4,--wrap --out=s8.4 agrees if the code wraps
mac_array --acc-bits=16:wrap --acc-bits=16:saturate,--no-flags agrees if the accumulator wraps
conv --out=s8.4,--wrap,--shape=2x4x4 --out=s8.4,--shape=2x4x4 agrees if the code wraps
END

# A report to the letter.
printf '%s\n' '000028 000000 05 : 02 0' | ver 1 'requant: 1 of 1 cases differ: y in 1, sat in 0' requant --shift=0:9
printf '%s\n' '000028 000000 05 : 02 0' >one.txt
"$macchiato" ver requant --shift=0:9 one.txt >out.txt || :
cat >want.txt <<END
one.txt:1: MISMATCH requant, case 0, seed 1
  in    acc=000028 (40 = 0.01953125 s24.11)  bias=000000 (0 = 0 s24.11)  shift=05 (5)
  want  y=01 (1 = 0.0625 s8.4)   sat=0
  got   y=02 (2 = 0.125 s8.4)    sat=0        +1 lsb
  hint  agrees if the shift is one less: shift, docs/datapath.md "requant"
requant: 1 of 1 cases differ: y in 1, sat in 0
END
diff want.txt out.txt || fail "the report is another"
"$macchiato" ver requant --shift=0:9 --json one.txt >out.txt 2>/dev/null || :
[ "$(tr -d ' \n' <out.txt)" = '{"op":"requant","cases":1,"mismatches":1,"columns":{"y":1,"sat":0},"first":0,"hint":"agreesiftheshiftisoneless:shift,docs/datapath.md\"requant\""}' ] ||
	fail "--json: $(cat out.txt)"

# Minus zero is no code: zero has one form.
printf '%s\n' '000000 00 : 80 0' | "$macchiato" ver encode --shift=0:9 >out.txt || :
grep -q 'hint  this is minus zero; zero has no sign' out.txt || fail "minus zero: $(cat out.txt)"

# Streams that cannot be judged.
"$macchiato" gen sat --cases=4 >four.vec
lines='a line is INPUTS : OUTPUTS, the inputs as `macchiato gen` wrote them'
none='no case was compared; the simulator printed none, look at its messages'
: | ver 2 "macchiato: stdin: $none" sat
head -n 8 four.vec | ver 2 'macchiato: stdin:9: the results end after 0 of 4 cases; look at what the simulator said, it stopped early' sat
head -n 10 four.vec | ver 2 'macchiato: stdin:11: the results end after 2 of 4 cases; look at what the simulator said, it stopped early' sat
grep -v '^#' four.vec >four.txt
ver 2 'macchiato: four.txt:5: the results end after 4 of 5 cases; look at what the simulator said, it stopped early' sat --cases=5 four.txt
ver 2 'macchiato: four.txt:4: more than 3 cases; give --cases as `macchiato gen` had it' sat --cases=3 four.txt
printf '000000 : 00 0\n000000 : 0' | ver 2 "macchiato: stdin:2: the last line has no newline; $lines" sat
echo '000000 : 00' | ver 2 'macchiato: stdin:1: field "sat" is missing; a line has 1 inputs, " : " and 2 outputs' sat
echo '000000 :' | ver 2 'macchiato: stdin:1: fields are set apart by one space, inputs from outputs by " : "; '"$lines" sat
echo '000000 : 000 0' | ver 2 'macchiato: stdin:1: field "y" has 3 digits, s8 needs 2; print the field'"'"'s own width' sat
echo '000000 : xx 0' | ver 2 'macchiato: stdin:1: field "y" is unknown ("xx"): it was read before it was driven; '"$lines" sat
echo '000000 : 0g 0' | ver 2 'macchiato: stdin:1: field "y": a character is no digit of 0-9 a-f; '"$lines" sat
echo '000000 : 00 2' | ver 2 'macchiato: stdin:1: field "sat": a padding bit above the word is set; '"$lines" sat
echo '000000 : 00 0 0' | ver 2 'macchiato: stdin:1: the line goes on behind its last field; '"$lines" sat
echo '7f : 00' | ver 2 'macchiato: stdin:1: field "x": element 0 is no code of e4m3fn.9; '"$lines" max_pool --in=e4m3fn.9 --shape=1 --kernel=1
printf '%s\n' 'VCD info: dumpfile x.vcd opened for output.' '000000 : 00 0' '- tb.v:20: Verilog $finish' | ver 0 'sat: 1 cases agree' sat

# A header of other cases.
ver 2 'macchiato: four.vec:2: these are cases of "sat"; judge them by `macchiato ver sat`' requant four.vec
ver 2 'macchiato: four.vec:4: the cases were made with "", not with "--wrap"; leave the options out' sat --wrap four.vec
sed 's/^# redo .*/# redo by hand/' four.vec >hand.vec
ver 2 'macchiato: hand.vec: its cases are not from `macchiato gen`; give what that wrote, or lines without a header' sat hand.vec
sed 's/^# out y s8.4/# out y s9.4/' four.vec >nine.vec
ver 2 'macchiato: nine.vec: its header lacks the line "# out y s8.4 1"; recreate the cases with: macchiato gen sat --seed=1 --cases=4' sat nine.vec
sed '/^# out sat/d' four.vec >short.vec
ver 2 'macchiato: short.vec: its header lacks the line "# out sat u1.0 1"; recreate the cases with: macchiato gen sat --seed=1 --cases=4' sat short.vec
refuse 'none.vec: cannot be read; check the name' ver sat none.vec

# Options.
known='`macchiato gen --list` lists them'
for command in gen ver; do
	refuse "OP: no operator given; $known" $command
	refuse "frob: no such operator; $known" $command frob
	refuse '--kernel: sat has no use for it; leave it out' $command sat --kernel=3
	refuse '--in: is given twice; give it once' $command sat --in=s9.4 --in=s9.4
	refuse '--in: "s8" is no format; give one as s8.4 (sign, bits, fraction bits), e4m3fn.9 or p4.7' $command sat --in=s8
	refuse '--round: "up" is no rounding mode; give floor, half_up, half_away, half_even or stochastic' $command requant --round=up
done
refuse 'mul: one operator is expected; give one' gen add mul
refuse 'b.vec: an operator and one file are expected; give one file' ver add a.vec b.vec
refuse '--in: "s8.4" is more than 4 inputs; give fewer' gen add --in=s8.4,s8.4,s8.4,s8.4,s8.4
refuse '--in: s17.4 is no format of an operand, which has 1 to 16 bits; give another' gen dot --in=s17.4
refuse '--in: this operator takes an exact sum; give fixed point, as s24.11' gen sat --in=e4m3.9
refuse '--in: a product has two factors; give two formats' gen mul --in=s8.4,s8.4,s8.4
refuse '--weights: products of these formats have more than 48 bits; give narrower ones' gen dot --in=e5m2.16 --weights=e5m2.16
refuse '--acc-bits: sums of these formats need 49 bits, an accumulator has at most 48; say what is to happen, as in --acc-bits=48:wrap' gen dot --in=e4m3.9 --weights=e4m3.9 --terms=4096
refuse '--acc-bits: here the accumulator is given; give its bits alone' gen requant --acc-bits=20:saturate
refuse '--out: encode makes minifloats; give one, as e4m3fn.9' gen encode --out=s8.4
refuse '--out: no output is a power of two; give fixed point or a minifloat' gen requant --out=p4.7
refuse '--out: from a fraction of 11 bits to one of 30 is a shift of -19, outside -15 to 48; give a nearer format' gen dot --out=s8.30
refuse '--out: sat moves no point and makes no minifloat; give fixed point with the fraction of --in' gen sat --out=s8.5
refuse '--wrap: only fixed point wraps; leave it out' gen requant --wrap --out=e4m3.9
refuse '--clip: "6:" is no range within -32768:65535; give it as LOW:HIGH' gen requant --clip=6:
refuse '--clip: 0:200 is outside the codes of the output; give codes of --out' gen requant --clip=0:200
refuse '--shift: "9:2" is no range within -15:48; give it as LOW:HIGH' gen requant --shift=9:2
refuse '--shift: a result would have 63 bits, a column has at most 49; give a narrower --in, or shift less to the left' gen round_shift --in=s48.0 --shift=-15:3
refuse '--shape: "4x4" is no shape; give one as 3x8x8 (channels, rows, columns) or 16' gen conv --shape=4x4
refuse '--shape: the inputs of add have one shape; give one' gen add --shape=1,1
refuse '--shape: inputs are joined along the channels; give all the same rows and columns' gen concat --shape=1x2x2,1x3x3
refuse '--kernel: "3x3x3" is no size; give one as 3 or 3x5, rows first' gen conv --kernel=3x3x3
refuse '--kernel: the kernel does not fit into the input; give a larger --shape or more --pad' gen conv --kernel=9
refuse '--kernel: the window does not fit into the input; give a larger --shape or more --pad' gen max_pool --kernel=9
refuse '--pad: "1,2" is no padding; give one as 1 or 1,1,2,2 (top, left, bottom, right)' gen conv --pad=1,2
refuse '--pad: a window would lie in the padding alone; give less padding' gen max_pool --pad=3
refuse '--groups: 3 does not divide 4 input and 4 output channels; give one that does' gen conv --groups=3
refuse '--round: a mean has no noise; give another mode' gen avg_pool --round=stochastic
refuse '--order: "hhc" is no order of the axes c, h and w; give one as hwc' gen transpose --order=hhc
refuse '--case: is one case, --cases is another number; give one of the two' gen sat --cases=3 --case=4
refuse '--cases: "0" is no whole number from 1 to 1000000000000; give one' gen sat --cases=0
refuse '--level: "3" is no whole number from 1 to 2; give one' gen sat --level=3
refuse 'conv: "x" would be a word of 524288 bits, 65536 is the widest; make it smaller' gen conv --shape=64x32x32
refuse '--shape: a sum over 65536 positions of this format is too wide; make it smaller' gen global_pool --in=u1.0 --shape=1x256x256
refuse 'vectors: cannot be written; check free space' gen sat -o /dev/full
exit $failed
