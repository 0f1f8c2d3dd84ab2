/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* The report of a mismatch in a program's run (tb_program): layer, tile, pixel, channels and step of the reduction; the likely cause; the
 * waves around it; the smallest layer that fails. */
#ifndef MCH_TB_PROGRAM_REPORT_H
#define MCH_TB_PROGRAM_REPORT_H

extern "C" {
#include "io/program_read.h"
}
#include "tb/top_machine.h"

namespace mch_tb
{

/* The run that failed. Files are named stem.fst, stem.gtkw, stem.vec. */
struct ProgramRun {
	const mch_program_folder *folder = nullptr; /* NULL: a case alone */
	int part = 0, image = 0;
	uint64_t seed = 1;
	const uint8_t *memory = nullptr; /* as the list found it */
	std::string redo;                /* without waves */
	std::string stem;
	bool hunts = true; /* false: the report alone */
	bool lockstep = true; /* false: the hint alone can be told */
};

/* "conv2 n=0 k=3 p=1 q=2": where the register's value belongs; what follows of it, "c=1 r=0 s=2  term 9 of 72  tile 3". */
std::string place_text(const ProgramRun &run, const Place &place, std::string *more);

/* Prints the report. `layer` is what is known without lock-step: a tensor's place, or "". The machine's run is over then. */
void program_report(TopMachine &machine, const ProgramRun &run, TopFailure f, const std::string &layer);

} // namespace mch_tb

#endif
