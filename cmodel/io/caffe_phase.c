/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Which layers of a Caffe definition a test run has; see caffe_layer.h. */
#include <limits.h>
#include <string.h>

#include "io/caffe_layer.h"

/* The state has that stage. */
static int has_stage(const struct mch_caffe *caffe, const struct mch_prototxt *stage, bool *has)
{
	const struct mch_prototxt *own = mch_prototxt_find(caffe->state, "stage");
	*has = false;
	for (; own; own = mch_prototxt_again(own)) {
		const char *want, *is;
		if (mch_prototxt_string(caffe->path, stage, &want, caffe->err) != 0 ||
		    mch_prototxt_string(caffe->path, own, &is, caffe->err) != 0)
			return -1;
		*has = *has || strcmp(want, is) == 0;
	}
	return 0;
}

static int stages_hold(const struct mch_caffe *caffe, const struct mch_prototxt *rule, bool *holds)
{
	bool has;
	for (const struct mch_prototxt *f = rule->first; f; f = f->next) {
		if (strcmp(f->name, "stage") != 0 && strcmp(f->name, "not_stage") != 0)
			continue;
		if (has_stage(caffe, f, &has) != 0)
			return -1;
		*holds = *holds && has == (f->name[0] == 's');
	}
	return 0;
}

/* A NetStateRule: every condition given must hold for phase TEST, and the state's level and stages. */
static int rule_holds(const struct mch_caffe *caffe, const struct mch_prototxt *rule, bool *holds)
{
	int min = INT_MIN, max = INT_MAX, level = 0;
	const struct mch_prototxt *phase = mch_prototxt_find(rule, "phase"), *field;
	if (mch_prototxt_message(caffe->path, rule, caffe->err) != 0)
		return -1;
	for (const struct mch_prototxt *f = rule->first; f; f = f->next)
		if (!mch_caffe_has_word("phase min_level max_level stage not_stage ", f->name))
			return mch_prototxt_err(caffe->err, caffe->path, f, "%s is no field of %s; correct the name",
						f->name, rule->name);
	if (phase && !mch_caffe_is_word(phase, "TRAIN", "0") && !mch_caffe_is_word(phase, "TEST", "1"))
		return mch_prototxt_err(caffe->err, caffe->path, phase,
					"phase is TRAIN or TEST; correct the definition");
	if ((field = mch_prototxt_find(rule, "min_level")) != NULL &&
	    mch_prototxt_int(caffe->path, field, INT_MIN, INT_MAX, &min, caffe->err) != 0)
		return -1;
	if ((field = mch_prototxt_find(rule, "max_level")) != NULL &&
	    mch_prototxt_int(caffe->path, field, INT_MIN, INT_MAX, &max, caffe->err) != 0)
		return -1;
	if ((field = mch_prototxt_find(caffe->state, "level")) != NULL &&
	    mch_prototxt_int(caffe->path, field, INT_MIN, INT_MAX, &level, caffe->err) != 0)
		return -1;
	*holds = (!phase || mch_caffe_is_word(phase, "TEST", "1")) && min <= level && level <= max;
	return stages_hold(caffe, rule, holds);
}

int mch_caffe_is_kept(const struct mch_caffe *caffe, const struct mch_prototxt *layer, bool *is_kept)
{
	const struct mch_prototxt *include = mch_prototxt_find(layer, "include");
	const struct mch_prototxt *exclude = mch_prototxt_find(layer, "exclude");
	bool any = false;
	if (include && exclude)
		return mch_prototxt_err(caffe->err, caffe->path, exclude,
					"include and exclude in one layer; keep one");
	for (const struct mch_prototxt *rule = include ? include : exclude; rule; rule = mch_prototxt_again(rule)) {
		bool holds = false;
		if (rule_holds(caffe, rule, &holds) != 0)
			return -1;
		any = any || holds;
	}
	*is_kept = include ? any : !any;
	return 0;
}
