/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Golden vectors of one layer; see accel_vector.h. */
#include "io/accel_vector.h"

#include <stdlib.h>

#include "base/rng.h"
#include "io/accel_config.h"
#include "tensor/vec.h"

/* The fields of one value, in the order of the file, behind the parts of x and w. NOISE is left out unless rounding
 * is stochastic. */
enum { BIAS, SHIFT, NOISE, ACC, Y, SAT, N_SINGLE };
enum { PARTS_MAX = (MCH_VEC_FIELDS_MAX - N_SINGLE) / 2 };

/* Terms in one field. */
static size_t part_terms(int x_bits, int w_bits)
{
	return (size_t)MCH_VEC_WORD_BITS_MAX / (size_t)(x_bits > w_bits ? x_bits : w_bits);
}

size_t mch_accel_terms_max(int x_bits, int w_bits)
{
	return PARTS_MAX * part_terms(x_bits, w_bits);
}

static int64_t random_code(struct mch_rng *rng, struct mch_format f)
{
	const int64_t low = mch_format_min(f), high = mch_format_max(f);
	const int64_t corner[] = {low, high, 0, high > 1 ? 1 : high};
	if (mch_rng_below(rng, 4) == 0)
		return corner[mch_rng_below(rng, 4)];
	return low + mch_rng_below(rng, (uint32_t)(high - low + 1)); /* at most 2^16 codes */
}

static void fill_x(const struct mch_step *step, const struct mch_accel_run *run, const struct mch_accel_case *c,
		   int64_t *x)
{
	const struct mch_conv *g = &step->conv;
	const size_t n_terms = mch_conv_terms(g);
	const int32_t *w = step->weights + (size_t)c->k * n_terms;
	const int64_t low = mch_format_min(step->in_format), high = mch_format_max(step->in_format);
	struct mch_rng rng = mch_rng_seed(c->seed);
	for (size_t t = 0; t < n_terms; t++) {
		const ptrdiff_t i = mch_conv_x_index(g, c->n, c->k, c->p, c->q, t);
		if (i < 0) { /* padding: no operand, whatever the origin */
			x[t] = 0;
			continue;
		}
		switch (c->origin) {
		case MCH_ACCEL_IMAGE:
			x[t] = run->x[i];
			break;
		case MCH_ACCEL_WITNESS_HIGH:
			x[t] = w[t] < 0 ? low : high;
			break;
		case MCH_ACCEL_WITNESS_LOW:
			x[t] = w[t] < 0 ? high : low;
			break;
		case MCH_ACCEL_ALL_MAX:
			x[t] = high;
			break;
		case MCH_ACCEL_ALL_MIN:
			x[t] = low;
			break;
		case MCH_ACCEL_RANDOM:
			x[t] = random_code(&rng, step->in_format);
			break;
		}
	}
}

/* The noise of the channel at the case's pixel. */
static uint16_t case_noise(const struct mch_step *step, const struct mch_accel_case *c)
{
	uint16_t noise = mch_lfsr_seed(step->requant.seed, c->k);
	for (int pixel = c->p * mch_conv_q(&step->conv) + c->q; pixel > 0; pixel--)
		noise = mch_lfsr_next(noise);
	return noise;
}

static void compute(const struct mch_step *step, const struct mch_accel_case *c, const int64_t *x, int64_t *w,
		    int64_t one[N_SINGLE])
{
	const size_t n_terms = mch_conv_terms(&step->conv);
	bool over, saturated;
	int64_t acc = 0;
	for (size_t t = 0; t < n_terms; t++) {
		w[t] = step->weights[(size_t)c->k * n_terms + t];
		acc = mch_mac(step->acc, acc, (int32_t)x[t], (int32_t)w[t], &over);
	}
	one[BIAS] = step->bias[c->k];
	one[SHIFT] = step->shift[c->k];
	one[NOISE] = case_noise(step, c);
	one[ACC] = acc;
	one[Y] = mch_requant_value(&step->requant, acc, one[BIAS], (int)one[SHIFT], (uint32_t)one[NOISE], &saturated);
	one[SAT] = saturated;
}

/* The file's header and, in its order, where each field's values are. */
struct layout {
	struct mch_vec_header header;
	const int64_t *values[MCH_VEC_FIELDS_MAX];
};

static void add_field(struct layout *l, const char *name, struct mch_format format, size_t count,
		      const int64_t *values)
{
	struct mch_vec_field *field = &l->header.field[l->header.n_fields];
	snprintf(field->name, sizeof(field->name), "%s", name);
	field->format = format;
	field->count = (int)count; /* at most 2^16 bits */
	l->values[l->header.n_fields++] = values;
}

static void add_operand(struct layout *l, const char *name, struct mch_format format, size_t n, size_t most,
			const int64_t *values)
{
	for (size_t i = 0, part = 0; i < n; i += most, part++) {
		char full[32];
		snprintf(full, sizeof(full), part ? "%s%zu" : "%s", name, part);
		add_field(l, full, format, n - i < most ? n - i : most, values + i);
	}
}

static void lay_out(struct layout *l, const struct mch_step *step, const int64_t *x, const int64_t *w,
		    const int64_t one[N_SINGLE])
{
	const struct mch_format xf = step->in_format, wf = mch_step_operand(step);
	const int acc_frac = xf.frac + wf.frac, bias_bits = mch_accel_bits(step->bias, (size_t)step->conv.k);
	const size_t n = mch_conv_terms(&step->conv), most = part_terms(xf.bits, wf.bits);
	l->header.n_fields = 0;
	add_operand(l, "x", xf, n, most, x);
	add_operand(l, "w", wf, n, most, w);
	add_field(l, "bias", (struct mch_format){bias_bits, acc_frac, true}, 1, &one[BIAS]);
	add_field(l, "shift", (struct mch_format){7, 0, true}, 1, &one[SHIFT]); /* -15..48 */
	if (step->requant.round == MCH_ROUND_STOCHASTIC)
		add_field(l, "noise", (struct mch_format){MCH_NOISE_BITS, 0, false}, 1, &one[NOISE]);
	l->header.n_in = l->header.n_fields;
	add_field(l, "acc", (struct mch_format){step->acc.bits, acc_frac, true}, 1, &one[ACC]);
	add_field(l, "y", step->out_format, 1, &one[Y]);
	add_field(l, "sat", (struct mch_format){1, 0, false}, 1, &one[SAT]);
}

static void describe(struct mch_vec_header *h, const struct mch_step *step, bool has_images, int n_cases,
		     const char *hash, const char *redo)
{
	const struct mch_accel_value name = mch_accel_value_text(step->layer->name);
	snprintf(h->op, sizeof(h->op), "dot");
	snprintf(h->comment, sizeof(h->comment), "layer %.48s, round %s, relu %d, acc %d bits %s, %s, config %s",
		 name.text, mch_round_name(step->requant.round), step->requant.relu, step->acc.bits,
		 step->acc.overflow == MCH_SATURATE ? "saturating" : "wrapping",
		 has_images ? "real images" : "synthetic operands alone", hash);
	snprintf(h->redo, sizeof(h->redo), "%s", redo);
	h->n_cases = (uint64_t)n_cases;
}

int mch_accel_vector_write(FILE *stream, const struct mch_step *step, const struct mch_accel_run *run,
			   const struct mch_accel_case *cases, int n_cases, const char *hash, const char *redo,
			   struct mch_err *err)
{
	const size_t n_terms = mch_conv_terms(&step->conv);
	int64_t *x = malloc(2 * n_terms * sizeof(*x)), one[N_SINGLE];
	if (!x)
		return mch_err_set(err, step->layer->name, "no memory for its vectors; use a machine with more");
	int64_t *w = x + n_terms;
	struct layout l;
	lay_out(&l, step, x, w, one);
	describe(&l.header, step, run->n > 0, n_cases, hash, redo);
	struct mch_vec_writer out;
	int status = mch_vec_write_begin(&out, stream, &l.header, err);
	for (int i = 0; status == 0 && i < n_cases; i++) {
		fill_x(step, run, &cases[i], x);
		compute(step, &cases[i], x, w, one);
		status = mch_vec_write_case(&out, l.values, err);
	}
	if (status == 0)
		status = mch_vec_write_end(&out, err);
	free(x);
	return status;
}
