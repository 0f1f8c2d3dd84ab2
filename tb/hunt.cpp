/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* After a mismatch; see hunt.h. */
#include "tb/hunt.h"

extern "C" {
#include "arch/map.h"
#include "arch/program_run.h"
}
#include "tb/shrink.h"

namespace mch_tb
{

/* A layer that stands still is ended by the watchdog; the limit is for what the watchdog does not see. */
enum { WATCHDOG = 5000, MOST_CYCLES = 20000000, MOST_RUNS = 2000 };

bool image_of_descriptor(const mch_accel_config &cfg, const uint8_t *memory, uint64_t n_words, uint32_t list, int i, LayerImage *image)
{
	const size_t word_bytes = mch_accel_word_bytes(&cfg);
	const uint32_t words = mch_descriptor_words(&cfg);
	mch_err err;
	image->memory.assign(memory, memory + n_words * word_bytes);
	image->list = list + static_cast<uint32_t>(i) * words;
	uint8_t *const at = image->memory.data() + image->list * word_bytes;
	const std::vector<uint8_t> descriptor(at, at + MCH_DESCRIPTOR_BYTES);
	mch_descriptor_unpack(descriptor.data(), &image->d);
	std::fill(at, at + MCH_DESCRIPTOR_BYTES, 0);
	const mch_accel_memory mem = {image->memory.data(), n_words, nullptr};
	if (mch_program_run(&cfg, list, &mem, nullptr, &err) != 0)
		return false;
	std::copy(descriptor.begin(), descriptor.end(), at);
	std::fill(at + MCH_DESCRIPTOR_BYTES, at + 2 * MCH_DESCRIPTOR_BYTES, 0); /* every list ends in OP_STOP, so this is inside */
	return true;
}

bool run_image(TopMachine &machine, const LayerImage &image)
{
	machine.connect(image.memory.size(), mch_sim::AxiMemoryOptions(), true);
	std::copy(image.memory.begin(), image.memory.end(), machine.memory().data());
	machine.write(MCH_REG_IRQ_ENABLE, 3);
	machine.write(MCH_REG_LIST, image.list);
	machine.write(MCH_REG_WATCHDOG, WATCHDOG);
	machine.write(MCH_REG_CONTROL, 1U << MCH_LOW_CONTROL_START);
	for (int n = 0; n < MOST_CYCLES && !machine.irq() && machine.cycle(); n++)
		;
	return !machine.failed() && (machine.read(MCH_REG_STATUS) >> MCH_LOW_STATUS_DONE & 1) && !machine.failed();
}

std::string hint_of(const LayerImage &image, const LayerCase &c)
{
	TopMachine machine("", false);
	if (!run_image(machine, image))
		return "";
	return c.hint(top_config(), outputs_of(top_config(), image.d, c, machine.memory().data()));
}

static bool fails(const LayerCase &c)
{
	LayerImage image;
	if (!image_of(top_config(), c, &image))
		return false;
	TopMachine machine("", true);
	return !run_image(machine, image);
}

bool smallest(const LayerCase &c, LayerCase *small)
{
	if (!fails(c))
		return false;
	*small = shrink(c, fails, MOST_RUNS);
	return true;
}

} // namespace mch_tb
