/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* A memory as fast as an AXI4 port allows; see ideal_memory.h. */
#include "arch/ideal_memory.h"

#include <string.h>

#include "base/require.h"

void mch_ideal_memory_init(struct mch_ideal_memory *m, size_t beat_bytes, uint8_t *bytes, uint64_t n_bytes)
{
	MCH_REQUIRE(beat_bytes > 0 && beat_bytes <= MCH_AXI_BEAT_BYTES_MAX && (beat_bytes & (beat_bytes - 1)) == 0,
		    "a beat is a power of two of at most 64 bytes");
	memset(m, 0, sizeof(*m));
	m->bytes = bytes;
	m->n_bytes = n_bytes;
	m->beat_bytes = beat_bytes;
	m->pins.arready = m->pins.awready = m->pins.wready = true;
	m->pins.r.data = bytes ? m->r_data : NULL;
}

static void push(struct mch_ideal_bursts *q, const struct mch_axi_address *a)
{
	const unsigned at = (q->first + q->n) % MCH_IDEAL_BURSTS;
	q->burst[at].addr = a->addr;
	q->burst[at].len = a->len;
	q->n++;
}

/* The oldest burst goes on by a beat. Returns the beat's address: those after the first are aligned. */
static uint64_t next_beat(struct mch_ideal_bursts *q, size_t beat_bytes, bool *last)
{
	const uint64_t at = (q->burst[q->first].addr & ~(uint64_t)(beat_bytes - 1)) + q->beat * (uint64_t)beat_bytes;
	*last = q->beat == q->burst[q->first].len;
	q->beat++;
	if (*last) {
		q->first = (q->first + 1) % MCH_IDEAL_BURSTS;
		q->n--;
		q->beat = 0;
	}
	return at;
}

static bool inside(const struct mch_ideal_memory *m, uint64_t at)
{
	return at < m->n_bytes && m->beat_bytes <= m->n_bytes - at;
}

static void write_beat(struct mch_ideal_memory *m)
{
	const uint64_t strb = m->w[m->w_first].strb;
	const uint8_t *data = m->w[m->w_first].data;
	bool last;
	const uint64_t at = next_beat(&m->write, m->beat_bytes, &last);
	if (!inside(m, at))
		m->w_resp = MCH_AXI_DECERR;
	else if (m->bytes)
		for (size_t i = 0; i < m->beat_bytes; i++)
			if (strb >> i & 1)
				m->bytes[at + i] = data[i];
	m->w_first = (m->w_first + 1) % MCH_IDEAL_W_BEATS;
	m->n_w--;
	if (last) {
		m->b[(m->b_first + m->n_b) % MCH_IDEAL_BURSTS] = m->w_resp;
		m->n_b++;
		m->w_resp = MCH_AXI_OKAY;
	}
}

static void step_write(struct mch_ideal_memory *m, const struct mch_axi_master *in)
{
	struct mch_axi_slave *pins = &m->pins;
	if (in->aw.valid && pins->awready)
		push(&m->write, &in->aw);
	if (in->w.valid && pins->wready) {
		const unsigned at = (m->w_first + m->n_w) % MCH_IDEAL_W_BEATS;
		/* A master without data (a plan) reads its descriptors, and writes nothing. */
		m->w[at].strb = in->w.data ? in->w.strb : 0;
		if (m->bytes && in->w.data)
			memcpy(m->w[at].data, in->w.data, m->beat_bytes);
		m->n_w++;
	}
	while (m->write.n > 0 && m->n_w > 0)
		write_beat(m);
	if (pins->b.valid && in->bready)
		pins->b.valid = false;
	if (!pins->b.valid && m->n_b > 0) {
		pins->b.valid = true;
		pins->b.resp = m->b[m->b_first];
		m->b_first = (m->b_first + 1) % MCH_IDEAL_BURSTS;
		m->n_b--;
	}
	/* A burst leaves `write` when its answer enters `b`: together they are bounded. */
	pins->awready = m->write.n + m->n_b < MCH_IDEAL_BURSTS;
	pins->wready = m->n_w < MCH_IDEAL_W_BEATS;
}

static void step_read(struct mch_ideal_memory *m, const struct mch_axi_master *in)
{
	struct mch_axi_slave *pins = &m->pins;
	if (in->ar.valid && pins->arready)
		push(&m->read, &in->ar);
	if (pins->r.valid && in->rready)
		pins->r.valid = false;
	if (!pins->r.valid && m->read.n > 0) {
		const uint64_t at = next_beat(&m->read, m->beat_bytes, &pins->r.last);
		const bool ok = inside(m, at);
		pins->r.valid = true;
		pins->r.resp = ok ? MCH_AXI_OKAY : MCH_AXI_DECERR;
		/* A copy: a later write must not change a beat that waits. */
		if (m->bytes && ok)
			memcpy(m->r_data, m->bytes + at, m->beat_bytes);
		else if (m->bytes)
			memset(m->r_data, 0, m->beat_bytes);
	}
	pins->arready = m->read.n < MCH_IDEAL_BURSTS;
}

void mch_ideal_memory_step(struct mch_ideal_memory *m, const struct mch_axi_master *in)
{
	if (in->aw.valid || in->w.valid || m->pins.b.valid || m->n_b > 0)
		step_write(m, in);
	if (in->ar.valid || m->pins.r.valid)
		step_read(m, in);
}
