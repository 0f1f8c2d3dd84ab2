# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Macchiato authors
"""mch_requant against its C model under cocotb 2: an example of benches in Python.

The right answers come from libmacchiato-dpi.so (MCH_DPI_LIBRARY in the environment) by ctypes; dpi/macchiato_pkg.sv says what its
functions take. scripts/check-cocotb runs it under Icarus Verilog.
"""
import ctypes
import os
import random

import cocotb
from cocotb.triggers import Timer

OUT_BITS, ROUND, ACC_BITS, LATENCY, BATCHES, VALUES = 8, 3, 32, 3, 40, 50


class Model:
    """The functions of the library that this bench calls; -1 from any of them is an error."""

    def __init__(self, path):
        self.library = ctypes.CDLL(path)
        self.library.mch_dpi_error.restype = ctypes.c_char_p

    def ok(self, status):
        if status != 0:
            raise ValueError(self.library.mch_dpi_error().decode())

    def requant(self, out, acc, bias, shift):
        """out: the members of mch_out_s in their order; the vector of a packed struct has the last one lowest."""
        y, saturated = ctypes.c_int(), ctypes.c_ubyte()
        packed = (ctypes.c_uint32 * len(out))(*reversed(out))
        self.ok(self.library.mch_dpi_requant(packed, ctypes.c_longlong(acc), ctypes.c_longlong(bias), shift, 0,
                                             ctypes.byref(y), ctypes.byref(saturated)))
        return y.value, saturated.value

    def report(self, seen, want, got):
        long, library = ctypes.c_longlong, self.library
        self.ok(library.mch_dpi_report_about(b"requant_cocotb", b"mch_requant", b"mch_requant", b"", long(seen["case"]), long(1)))
        for name, bits in ("acc", ACC_BITS), ("bias", ACC_BITS), ("shift", 7):
            self.ok(library.mch_dpi_report_in(name.encode(), long(seen[name]), bits, 1))
        for name, bits, i in ("y", OUT_BITS, 0), ("sat", 1, 1):
            self.ok(library.mch_dpi_report_out(name.encode(), long(want[i]), long(got[i]), bits, bits > 1))
        self.ok(library.mch_dpi_report_print(b"", b""))


def some(rng, bits):
    """Signed, of any magnitude: most of them small."""
    return rng.getrandbits(bits) - (1 << (bits - 1)) >> rng.randrange(bits)


async def edge(dut):
    """Inputs settle, then the edge; the outputs of the cycle that follows are settled after it."""
    await Timer(1, "step")
    dut.clk_i.value = 1
    await Timer(1, "step")
    dut.clk_i.value = 0


async def load(dut, bias, shift):
    dut.load_i.value = 1
    dut.valid_i.value = 0
    dut.bias_i.value = bias & (1 << ACC_BITS) - 1
    dut.shift_i.value = shift + 15
    await edge(dut)
    dut.load_i.value = 0


@cocotb.test()
async def agrees(dut):
    model, rng, n = Model(os.environ["MCH_DPI_LIBRARY"]), random.Random(1), 0
    for pin in "clk_i", "load_i", "valid_i", "bias_i", "shift_i", "noise_i", "acc_i", "rst_ni":
        getattr(dut, pin).value = 0
    dut.en_i.value = 1
    await edge(dut)
    dut.rst_ni.value = 1
    for _ in range(BATCHES):
        bias, shift, relu, signed = some(rng, ACC_BITS), rng.randrange(-2, 24), rng.randrange(2), rng.randrange(2)
        dut.relu_i.value, dut.y_signed_i.value, dut.y_bits_i.value = relu, signed, OUT_BITS
        await load(dut, bias, shift)
        accs = [some(rng, ACC_BITS) for _ in range(VALUES)]
        for i in range(VALUES + LATENCY):
            if i >= LATENCY:
                acc = accs[i - LATENCY]
                want = model.requant([OUT_BITS, signed, relu, ROUND, 0, 0, 0], acc, bias, shift)
                y = dut.y_o.value
                got = y.to_signed() if signed else y.to_unsigned(), int(dut.sat_o.value)
                assert dut.valid_o.value == 1, "no value after %d edges" % LATENCY
                if got != want:
                    model.report({"case": n, "acc": acc, "bias": bias, "shift": shift}, want, got)
                    raise AssertionError("result=MISMATCH")
                n += 1
            dut.valid_i.value = int(i < VALUES)
            dut.acc_i.value = (accs[i] if i < VALUES else 0) & (1 << ACC_BITS) - 1
            await edge(dut)
    print("requant_cocotb: cases=%d result=agreed" % n)
