/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* A layer that failed on mch_datapath (tb/stream.h) as a case: made as small as it can be, saved, and run again. */
#ifndef MCH_TB_STREAM_HUNT_H
#define MCH_TB_STREAM_HUNT_H

#include "tb/layer_case.h"
#include "tb/stream.h"

namespace mch_tb {

/* A case as a step, and back: the case of one image of a step. False where it is no such case (tb/layer_case.h). */
class CaseStep {
public:
	CaseStep(const mch_datapath_config &cfg, const LayerCase &c);
	CaseStep(const CaseStep &) = delete;
	const mch_step &step() const { return step_; }

private:
	mch_layer layer_{};
	mch_step step_{};
	LayerCase c_;
};
bool case_of_step(const mch_datapath_config &cfg, const mch_step &step, const int32_t *x, LayerCase *c);

/* What of the build a file does not say. */
mch_accel_config stream_config(const mch_datapath_config &cfg);
LayerUnit stream_unit(const mch_datapath_config &cfg);

/* Finds the first of n images on which the step, alone and from power-on, fails, without stalls or with so many percent of them; shrinks it;
 * saves it. What to see, or "". */
/* A saved case. The seed of stalls is StreamOptions' own. */
class StreamReplay {
public:
	/* Ends the program with exit 2 when the file cannot be read. */
	StreamReplay(const mch_datapath_config &cfg, const std::string &path);

	/* False when it differs: then the stream tells where, as long as this lives. */
	bool run(Stream *stream) const;

private:
	mch_datapath_config cfg_;
	LayerCase c_;
	std::unique_ptr<CaseStep> step_;
};

std::string stream_smallest(const mch_datapath_config &cfg, int stall_percent, const mch_step &step, int n, const int32_t *x,
			    const std::string &path, const std::string &redo);

/* All there is to see of a failure of the stream in a run of `redo`, which fails in the same cycle: waves, smallest case, as STEM.*. */
std::string stream_see(const mch_datapath_config &cfg, int stall_percent, const mch_step &step, int n, const int32_t *x,
		       const std::string &redo, const std::string &stem, const Stream &stream);

} // namespace mch_tb

#endif
