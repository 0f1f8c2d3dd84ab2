# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Macchiato authors
# The C model inside SystemVerilog simulators: macchiato_pkg.sv and its shared library, which needs a C11 compiler alone. It holds
# what it calls of cmodel/, compiled for a shared library, and shows nothing but mch_dpi_*.
dpilibdir = $(libdir)
dpilib_PROGRAMS = dpi/libmacchiato-dpi.so
dpi_libmacchiato_dpi_so_SOURCES = \
	dpi/array.c \
	dpi/array.h \
	dpi/check.c \
	dpi/check.h \
	dpi/datapath.c \
	dpi/history.c \
	dpi/history.h \
	dpi/macchiato_dpi.h \
	dpi/numbers.c \
	dpi/operators.c \
	dpi/report.c \
	dpi/report.h \
	dpi/twin.c \
	dpi/twin.h \
	cmodel/arch/datapath.c \
	cmodel/arch/mac_array.c \
	cmodel/base/err.c \
	cmodel/tensor/report.c \
	$(cmodel_fxp_libfxp_a_SOURCES) \
	$(cmodel_op_libop_a_SOURCES)
dpi_libmacchiato_dpi_so_CPPFLAGS = -I$(top_srcdir) -I$(top_srcdir)/cmodel
dpi_libmacchiato_dpi_so_CFLAGS = -std=c11 -D_POSIX_C_SOURCE=200809L $(MCH_WARN_CFLAGS) $(MCH_SANITIZE) -fPIC -fvisibility=hidden
dpi_libmacchiato_dpi_so_LDFLAGS = -shared -Wl,-soname,libmacchiato-dpi.so $(MCH_SANITIZE)
dpi_libmacchiato_dpi_so_LDADD = -lm

dpidir = $(pkgdatadir)/dpi
dist_dpi_DATA = dpi/macchiato_pkg.sv dpi/example/array_tb.sv dpi/example/requant_cocotb.py
dpiincludedir = $(includedir)/macchiato/dpi
dpiinclude_HEADERS = dpi/macchiato_dpi.h
pkgconfig_DATA += dpi/macchiato-dpi.pc
