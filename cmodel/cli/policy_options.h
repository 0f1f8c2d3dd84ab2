/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* The options that say how formats are chosen from ranges; an argp child of every command that chooses some. */
#ifndef MCH_CLI_POLICY_OPTIONS_H
#define MCH_CLI_POLICY_OPTIONS_H

#include <argp.h>

#include "quant/policy.h"

/* Its input is a struct mch_format_policy that holds the usual one. */
extern const struct argp mch_policy_argp;

#endif
