/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Fractions fitted to what the network answers: a calibration rule looks at one tensor, and cannot know how much its
 * noise matters behind it. Host only: no RTL twin. */
#ifndef MCH_QUANT_FIT_H
#define MCH_QUANT_FIT_H

#include "net/dataset.h"
#include "quant/formats.h"

struct mch_fit_config {
	const struct mch_dataset *data; /* training images, of which the first n_images are used */
	int n_images;
	void (*progress)(void *ctx, int done, int total); /* may be NULL */
	void *ctx;
};

struct mch_fit {
	int n_moved; /* fractions that ended elsewhere than the rule put them */
	double before_db, after_db; /* signal to noise of the logits on those images */
};

/* Coordinate descent on the exact integers: in order of execution, the fraction of every group of tensors and of every
 * layer's weights goes one bit up or down as long as that lowers the noise of the logits against the float network;
 * again from the start until a pass moves none. f then holds the fitted fractions for these widths, and quant the
 * formats, as mch_formats_apply leaves it. The result depends on the arguments alone. 0, or -1 with err. */
int mch_fit_fractions(struct mch_formats *f, const struct mch_widths *widths, struct mch_quant *quant,
		      const struct mch_fit_config *config, struct mch_fit *fit, struct mch_err *err);

#endif
