/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* The network on the command line: NET, --weights. */
#ifndef MCH_CLI_NET_OPTIONS_H
#define MCH_CLI_NET_OPTIONS_H

#include <argp.h>

struct mch_net_options {
	const char *path;    /* never NULL when all is read */
	const char *weights; /* a .caffemodel, or NULL */
};

/* A child of a command's argp; its input is a struct mch_net_options. Takes the one argument that the command leaves.
 */
extern const struct argp mch_net_argp;

#endif
