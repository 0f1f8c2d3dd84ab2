# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Macchiato authors
# The bare-metal driver. Here it is compiled for its tests alone: firmware takes the two files and arch/map.h, as
# installed.
noinst_LIBRARIES += driver/libdriver.a
driver_libdriver_a_SOURCES = \
	driver/macchiato.c \
	driver/macchiato.h
driverdir = $(pkgdatadir)/driver
driver_DATA = $(driver_libdriver_a_SOURCES)
