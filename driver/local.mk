# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Macchiato authors
# The bare-metal driver. Here it is compiled for its tests alone: firmware takes the two files and cmodel/arch/map.h.
noinst_LIBRARIES += driver/libdriver.a
driver_libdriver_a_SOURCES = \
	driver/macchiato.c \
	driver/macchiato.h
