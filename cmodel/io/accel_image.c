/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Memory images of an accelerator; see accel_image.h. */
#include "io/accel_image.h"

#include <stdlib.h>
#include <string.h>

#include "io/hash.h"
#include "tensor/mem.h"

enum { LABEL_BITS = 16 };

static void list_step(const struct mch_step *step, const char *stem, struct mch_accel_image *list)
{
	const struct mch_conv *g = &step->conv;
	const size_t k = (size_t)g->k, terms = mch_conv_terms(g);
	const char *name = step->layer->name;
	const int acc_frac = step->in_format.frac + mch_step_operand(step).frac;
	const char *each = mch_step_is_per_channel(step)
				   ? ";\nchannel k has (its shift - the smallest shift) fraction bits more"
				   : "";
	char format[16];

	const int bias_bits = mch_accel_bits(step->bias, k);
	list[0] = (struct mch_accel_image){.i32 = step->weights, .n_words = k * terms,
					   .bits = mch_step_operand(step).bits, .is_signed = true};
	list[1] = (struct mch_accel_image){.i64 = step->bias, .n_words = k, .bits = bias_bits, .is_signed = true};
	list[2] = (struct mch_accel_image){.shift = step->shift, .n_words = k, .bits = MCH_ACCEL_SHIFT_CODE_BITS};
	snprintf(list[0].file, sizeof(list[0].file), "%.96s.weights.mem", stem);
	snprintf(list[1].file, sizeof(list[1].file), "%.96s.bias.mem", stem);
	snprintf(list[2].file, sizeof(list[2].file), "%.96s.shift.mem", stem);
	/* The name is a value of the table too: what is no plain character there shall be none here. */
	const struct mch_accel_value safe = mch_accel_value_text(name);
	snprintf(list[0].comment, sizeof(list[0].comment),
		 "weights of layer %s\n"
		 "order [k %d][t %zu], t = (c * %d + r) * %d + s over %d input channels of the group\n"
		 "format %s, two's complement: extend the sign where the memory is wider%s",
		 safe.text, g->k, terms, g->r, g->s, g->c / g->groups, mch_format_text(mch_step_operand(step), format), each);
	snprintf(list[1].comment, sizeof(list[1].comment),
		 "biases of layer %s, at the accumulator's fraction\n"
		 "order [k %d]\n"
		 "format %s, two's complement: extend the sign where the memory is wider%s",
		 safe.text, g->k, mch_format_text((struct mch_format){bias_bits, acc_frac, true}, format), each);
	snprintf(list[2].comment, sizeof(list[2].comment),
		 "requantization shifts of layer %s\n"
		 "order [k %d]\n"
		 "code = shift + %d, unsigned: shift_i of mch_requant",
		 safe.text, g->k, -MCH_SHIFT_MIN);
}

static int list_test(const struct mch_qnet *q, const struct mch_accel_images *test, struct mch_accel_image *list)
{
	const struct mch_shape in = q->net->edges[q->input].shape, out = q->net->edges[q->output].shape;
	const size_t n = (size_t)test->n;
	struct mch_format out_format = q->input_format;
	for (int i = 0; i < q->n_steps; i++)
		if (q->steps[i].out == q->output)
			out_format = q->steps[i].out_format;
	list[0] = (struct mch_accel_image){.file = "images.mem", .i32 = test->codes,
					   .n_words = n * mch_shape_elems(in), .bits = q->input_format.bits,
					   .is_signed = q->input_format.is_signed};
	list[1] = (struct mch_accel_image){.file = "labels.mem", .i32 = test->labels, .n_words = n,
					   .bits = LABEL_BITS};
	list[2] = (struct mch_accel_image){.file = "logits.mem", .i32 = test->logits,
					   .n_words = n * mch_shape_elems(out), .bits = out_format.bits,
					   .is_signed = out_format.is_signed};
	char format[16];
	snprintf(list[0].comment, sizeof(list[0].comment), "test images\norder [n %d][c %d][h %d][w %d]\nformat %s",
		 test->n, in.c, in.h, in.w, mch_format_text(q->input_format, format));
	snprintf(list[1].comment, sizeof(list[1].comment), "labels of the test images\norder [n %d]", test->n);
	snprintf(list[2].comment, sizeof(list[2].comment),
		 "outputs that the C model computes for the test images\n"
		 "the largest, at a tie the first, is the answer\n"
		 "order [n %d][class %zu]\nformat %s",
		 test->n, mch_shape_elems(out), mch_format_text(out_format, format));
	return 3;
}

int mch_accel_image_list(const struct mch_qnet *q, char (*stems)[MCH_ACCEL_TEXT_MAX],
			 const struct mch_accel_images *test, struct mch_accel_image *list)
{
	int n = 0;
	for (int i = 0; i < q->n_steps; i++) {
		if (!mch_accel_on_array(&q->steps[i]))
			continue;
		list_step(&q->steps[i], stems[i], &list[n]);
		n += 3;
	}
	return test->n > 0 ? n + list_test(q, test, &list[n]) : n;
}

int64_t mch_accel_image_word(const struct mch_accel_image *image, size_t i)
{
	return image->i32 ? image->i32[i] : image->i64 ? image->i64[i] : image->shift[i] - MCH_SHIFT_MIN;
}

void mch_accel_image_stamp(struct mch_accel_table *table, const struct mch_accel_image *list, int n_list)
{
	struct mch_hash hash;
	mch_hash_begin(&hash);
	for (int i = 0; i < table->n_rows; i++) {
		const struct mch_accel_value *value = &table->rows[i].value;
		mch_hash_text(&hash, table->rows[i].name);
		mch_hash_int(&hash, value->type);
		mch_hash_int(&hash, value->number);
		mch_hash_text(&hash, value->text);
	}
	for (int i = 0; i < n_list; i++) {
		mch_hash_text(&hash, list[i].file);
		mch_hash_int(&hash, list[i].bits);
		mch_hash_int(&hash, (int64_t)list[i].n_words);
		for (size_t word = 0; word < list[i].n_words; word++)
			mch_hash_int(&hash, mch_accel_image_word(&list[i], word));
	}
	mch_hash_end(&hash, table->hash);
}

/* The image's words and what is said of them; to be freed. */
static int64_t *words_of(const struct mch_accel_image *image, const char *hash, char *comment, size_t room, struct mch_err *err)
{
	snprintf(comment, room, "%s\n%zu words of %d bits\nconfig %s", image->comment, image->n_words, image->bits, hash);
	int64_t *words = malloc((image->n_words ? image->n_words : 1) * sizeof(*words));
	if (!words)
		mch_err_set(err, image->file, "no memory for %zu words; use a machine with more", image->n_words);
	for (size_t i = 0; words && i < image->n_words; i++)
		words[i] = mch_accel_image_word(image, i);
	return words;
}

int mch_accel_image_write(FILE *stream, const struct mch_accel_image *image, const char *hash, struct mch_err *err)
{
	char comment[sizeof(image->comment) + 128];
	int64_t *words = words_of(image, hash, comment, sizeof(comment), err);
	const int status = words ? mch_mem_write(stream, comment, words, image->n_words, image->bits, err) : -1;
	free(words);
	return status;
}

int mch_accel_image_form(FILE *stream, const struct mch_accel_image *image, enum mch_mem_form form, const char *hash,
			 struct mch_err *err)
{
	char comment[sizeof(image->comment) + 128];
	int64_t *words = words_of(image, hash, comment, sizeof(comment), err);
	const int status = words ? mch_mem_form_write(stream, form, comment, words, image->n_words, image->bits, err) : -1;
	free(words);
	return status;
}

void mch_accel_image_form_name(const struct mch_accel_image *image, enum mch_mem_form form, char name[MCH_ACCEL_TEXT_MAX])
{
	const char *end = strrchr(image->file, '.');
	snprintf(name, MCH_ACCEL_TEXT_MAX, "%.*s.%s", (int)(end - image->file), image->file, mch_mem_form_name(form));
}
