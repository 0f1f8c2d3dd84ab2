# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Macchiato authors

if HAVE_CHECK
check_PROGRAMS += tests/check_grad
TESTS += tests/check_grad
tests_check_grad_SOURCES = tests/check_grad.c
tests_check_grad_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_check_grad_LDADD = $(MCH_LIBS) $(CHECK_LIBS) $(MCH_LIBS_SYS)
endif
