/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* The network on the command line; see net_options.h. */
#include "cli/net_options.h"

#include "cli/cmd.h"

enum { OPT_WEIGHTS = 0x2000 }; /* children have keys of their own, so that none meets those of a command */

static error_t parse_option(int key, char *text, struct argp_state *state)
{
	struct mch_net_options *options = state->input;
	switch (key) {
	case OPT_WEIGHTS:
		options->weights = text;
		return 0;
	case ARGP_KEY_ARG:
		mch_cmd_take_net(&options->path, text);
		return 0;
	case ARGP_KEY_END:
		if (!options->path)
			mch_cmd_fail("NET", "no network given; give a .onnx or .prototxt file");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_option table[] = {
	{"weights", OPT_WEIGHTS, "FILE", 0, "Parameters of a .prototxt network: its .caffemodel", 20},
	{0},
};

const struct argp mch_net_argp = {table, parse_option, NULL, NULL, NULL, NULL, NULL};
