/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* What an operator lost on the way: counted, never hidden. Host only: no RTL twin. */
#ifndef MCH_OP_EVENTS_H
#define MCH_OP_EVENTS_H

#include <stdint.h>

/* Counters add up; the caller zeroes them. */
struct mch_events {
	uint64_t n_out;      /* values requantized */
	uint64_t n_sat_low;  /* of these, clamped to the lowest code */
	uint64_t n_sat_high; /* clamped to the highest code */
	uint64_t n_inexact;  /* rounded: bits were lost below the output's last place */
	uint64_t n_acc_over; /* accumulation steps whose exact sum left the stated width */
};

#endif
