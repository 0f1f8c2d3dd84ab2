/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* The sequencer, cycle by cycle; see seq.h. */
#include "arch/seq.h"

#include <string.h>

enum { WORDS = MCH_SEQ_DESCRIPTOR_BYTES / 4, INDEX_MAX = 0xffff };

int mch_seq_init(struct mch_seq *s, const struct mch_seq_config *cfg, struct mch_err *err)
{
	memset(s, 0, sizeof(*s));
	if (cfg->rows < 1 || cfg->rows > 64 || cfg->cols < 1 || cfg->cols > 64 || cfg->out_bits < 1 ||
	    cfg->out_bits > 16)
		return mch_err_set(err, "seq",
				   "%d x %d with outputs of %d bits is out of range; ROWS "
				   "and COLS are 1 to 64, "
				   "OUT_BITS 1 to 16",
				   cfg->rows, cfg->cols, cfg->out_bits);
	if (cfg->word_bits < 32 || cfg->word_bits > 1024 || (cfg->word_bits & (cfg->word_bits - 1)) != 0)
		return mch_err_set(err, "seq",
				   "words of %d bits are out of range; WORD_BITS is a "
				   "power of two from 32 to 1024",
				   cfg->word_bits);
	s->cfg = *cfg;
	return 0;
}

void mch_seq_reset(struct mch_seq *s)
{
	s->state = MCH_SEQ_IDLE;
	s->moved = s->go = s->cp_start = s->done = s->error = false;
	s->index = 0;
	s->owed = 0;
	s->ahead = 0;
}

static uint32_t word_at(const uint8_t *bytes, int i)
{
	const uint8_t *b = bytes + 4 * i;
	return b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
}

static void take_apart(const uint8_t *bytes, struct mch_descriptor *d)
{
#define FIELD(member, index, low, bits) d->member = word_at(bytes, index) >> (low) & (UINT32_MAX >> (32 - (bits)));
	MCH_DESCRIPTOR_FIELDS(FIELD)
#undef FIELD
}

static bool beyond(uint32_t value, int most)
{
	return value == 0 || value > (uint32_t)most;
}

/* Words that hold more than one number, or whose rule is more than a range. */
static uint32_t illegal_fields(const struct mch_seq_config *cfg, const struct mch_descriptor *d)
{
	const bool is_pool = d->op != MCH_OP_CONV, is_own = is_pool || d->taps != 0; /* an output block reads its own of x */
	uint32_t bad = 0;
	if (beyond(d->y_bits, cfg->out_bits) || (d->op == MCH_OP_MEAN && !cfg->mean))
		bad |= 1u << 0;
	if (d->x0_blocks == 0 || (is_own && d->x1_blocks != 0))
		bad |= 1u << 4;
	if (beyond(d->x0_last, cfg->cols) || (d->x1_blocks != 0 && beyond(d->x1_last, cfg->cols)))
		bad |= 1u << 5;
	if (d->in_w == 0 || d->out_q == 0)
		bad |= 1u << 6;
	if (d->kernel_r == 0 || d->kernel_s == 0 || d->y_blocks == 0 || (is_own && d->y_blocks != d->x0_blocks))
		bad |= 1u << 7;
	if (d->stride_w == 0 || d->dilation_w == 0)
		bad |= 1u << 8;
	if (d->strip_pixels != d->tiles * (uint32_t)cfg->rows)
		bad |= 1u << 17;
	if (d->strip_q >= d->out_q)
		bad |= 1u << 18;
	if ((d->w_words != 0) == (d->op == MCH_OP_MAX))
		bad |= 1u << 21;
	if (d->taps != 0 && (is_pool || !cfg->depthwise))
		bad |= 1u << 25;
	return bad;
}

uint32_t mch_seq_illegal(const struct mch_seq_config *cfg, const uint8_t bytes[MCH_SEQ_DESCRIPTOR_BYTES])
{
	static const uint32_t used[WORDS] = MCH_DESCRIPTOR_USED;
	static const uint32_t below_24 = 0x0128fe00, not_0 = 0x0001ee00; /* words 9..15, 19, 21, 24; 9..11, 13..16 */
	struct mch_descriptor d;
	uint32_t bad = 0;
	take_apart(bytes, &d);
	for (int i = 0; i < WORDS; i++) {
		const uint32_t w = word_at(bytes, i), bit = 1u << i;
		bad |= w & ~used[i] ? bit : 0;
		if (d.op != MCH_OP_STOP)
			bad |= (w >> 24 != 0 ? below_24 & bit : 0) | (w == 0 ? not_0 & bit : 0);
	}
	return d.op == MCH_OP_STOP ? bad : bad | illegal_fields(cfg, &d);
}

static uint32_t lowest(uint32_t bits)
{
	uint32_t i = 0;
	while (!(bits >> i & 1))
		i++;
	return i;
}

/* What this cycle decides, from the registers and the pins. */
struct decision {
	bool running, ld_start, move, ends, error;
	uint32_t code, field;
};

static void decide_error(const struct mch_seq *s, const struct mch_seq_in *in, bool bad_weights, struct decision *t)
{
	const bool is_bad = s->state == MCH_SEQ_DECIDE && s->bad != 0;
	const uint32_t code = in->read_error			  ? MCH_ERROR_READ
			      : in->write_error			  ? MCH_ERROR_WRITE
			      : in->x_overflow			  ? MCH_ERROR_STRIP
			      : is_bad				  ? MCH_ERROR_DESCRIPTOR
			      : bad_weights			  ? MCH_ERROR_WEIGHTS
			      : s->watchdog == 1 && !in->progress ? MCH_ERROR_WATCHDOG
								  : MCH_ERROR_NONE;
	t->error = t->running && code != MCH_ERROR_NONE;
	t->code = code;
	t->field = code == MCH_ERROR_DESCRIPTOR ? lowest(s->bad) : 0;
}

static struct decision decide(const struct mch_seq *s, const struct mch_seq_in *in)
{
	const bool cp_free = in->cp_idle && !s->cp_start, is_run = s->state == MCH_SEQ_RUN;
	const bool may_move = is_run && !s->moved && cp_free && (!(s->d[0] >> 4 & 1) || in->store_idle);
	const bool is_last = s->state == MCH_SEQ_FINISH && cp_free, is_max = (s->d[0] & 3) == MCH_OP_MAX;
	const bool bad_weights = s->owed < 0 || ((may_move || is_last) && s->owed != 0) ||
				 (is_run && s->moved && cp_free && !in->w_done && !is_max);
	struct decision t = {.running = s->state != MCH_SEQ_IDLE && s->state < MCH_SEQ_DRAIN};
	t.ld_start = mch_seq_ld_start(s);
	t.move = may_move && s->owed == 0;
	t.ends = is_last && in->store_idle && in->read_idle;
	decide_error(s, in, bad_weights, &t);
	return t;
}

static enum mch_seq_state next_state(const struct mch_seq *s, const struct mch_seq_in *in, const struct decision *t)
{
	if (in->reset || t->error)
		return MCH_SEQ_DRAIN;
	switch (s->state) {
	case MCH_SEQ_IDLE:
		return in->start ? MCH_SEQ_FETCH : MCH_SEQ_IDLE;
	case MCH_SEQ_FETCH:
		return in->word_valid && s->place + 1 == 1024u / (uint32_t)s->cfg.word_bits ? MCH_SEQ_CHECK
											    : MCH_SEQ_FETCH;
	case MCH_SEQ_CHECK:
		return MCH_SEQ_DECIDE;
	case MCH_SEQ_DECIDE:
		return (s->d[0] & 3) == MCH_OP_STOP ? MCH_SEQ_FINISH : MCH_SEQ_RUN;
	case MCH_SEQ_RUN:
		return s->moved && in->x_done && in->w_done ? MCH_SEQ_FETCH : MCH_SEQ_RUN;
	case MCH_SEQ_FINISH:
		return t->ends ? MCH_SEQ_CLEAR : MCH_SEQ_FINISH;
	case MCH_SEQ_DRAIN:
		return in->read_idle && in->write_idle ? MCH_SEQ_CLEAR : MCH_SEQ_DRAIN;
	default:
		return MCH_SEQ_IDLE;
	}
}

/* The descriptor and its place in memory. */
static void step_fetch(struct mch_seq *s, const struct mch_seq_in *in, const struct decision *t)
{
	const size_t word_bytes = (size_t)s->cfg.word_bits / 8;
	if (in->word_valid && s->place < 1024u / (uint32_t)s->cfg.word_bits)
		memcpy(s->d + s->place * word_bytes, in->word, word_bytes);
	if (s->state != MCH_SEQ_FETCH) {
		s->place = 0;
		s->ask = 1024u / (uint32_t)s->cfg.word_bits;
	} else {
		s->place += in->word_valid;
		s->ask -= in->take ? in->take_words : 0;
	}
	if (s->state == MCH_SEQ_IDLE)
		s->addr = in->list;
	else if (in->take)
		s->addr += in->take_words;
	if (s->state == MCH_SEQ_CHECK) {
		s->bad = mch_seq_illegal(&s->cfg, s->d) | (s->index == INDEX_MAX ? 1u : 0);
		take_apart(s->d, &s->ld);
		s->index += s->index != INDEX_MAX;
	} else if (s->state == MCH_SEQ_IDLE && in->start) {
		s->index = 0;
	}
	if (t->move) {
		memcpy(s->cp_d, s->d, sizeof(s->cp_d));
		s->cp = s->ld;
	}
}

static void step_weights(struct mch_seq *s, const struct mch_seq_in *in, const struct decision *t)
{
	const uint32_t asked = in->w_take ? in->take_words : 0, released = in->w_release ? in->w_release_words : 0;
	if (!t->running) {
		s->owed = 0;
		s->ahead = 0;
	} else if (t->move) {
		s->owed = (int32_t)(s->ahead + asked);
		s->ahead = 0;
	} else {
		s->owed += (int32_t)(s->moved ? asked : 0) - (int32_t)released;
		s->ahead += s->moved ? 0 : asked;
	}
}

void mch_seq_step(struct mch_seq *s, const struct mch_seq_in *in)
{
	const struct decision t = decide(s, in);
	const enum mch_seq_state state = next_state(s, in, &t);
	step_weights(s, in, &t);
	if (t.error) {
		s->error_code = t.code;
		s->error_field = t.field;
	}
	if (!t.running || in->progress)
		s->watchdog = in->watchdog;
	else if (s->watchdog != 0)
		s->watchdog--;
	if (t.ld_start) {
		s->moved = false;
		s->go = !(s->d[0] >> 4 & 1);
	} else if (t.move) {
		s->moved = s->go = true;
	}
	s->cp_start = t.move && !t.error && !in->reset;
	s->done = t.ends && !t.error && !in->reset;
	s->error = t.error && !in->reset;
	step_fetch(s, in, &t);
	s->state = state;
}
