/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* A training run from the command line; see train_run.h. */
#include "cli/train_run.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/temporary.h"
#include "io/real_text.h"

enum { CHECKPOINT_S = 30 };

static double now_s(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static volatile sig_atomic_t is_interrupted;

static void interrupt(int signal_number)
{
	(void)signal_number;
	is_interrupted = 1;
	mch_temporary_guard(); /* a second Ctrl-C ends the program at once, should the disk hang */
}

static void catch_signals(void)
{
	static const int polite[] = {SIGINT, SIGTERM, SIGHUP};
	struct sigaction action = {.sa_handler = interrupt}, old;
	sigemptyset(&action.sa_mask);
	for (size_t i = 0; i < sizeof(polite) / sizeof(polite[0]); i++)
		if (sigaction(polite[i], NULL, &old) == 0 && old.sa_handler != SIG_IGN)
			sigaction(polite[i], &action, NULL);
}

int mch_train_run_begin(struct mch_train_run *run, struct mch_err *err)
{
	const struct mch_train_options *options = run->options;
	const size_t room = strlen(run->output) + sizeof(".ckpt");
	run->checkpoint = options->checkpoint ? strdup(options->checkpoint) : malloc(room);
	if (!run->checkpoint)
		return mch_err_set(err, run->output, "out of memory; use a machine with more");
	if (!options->checkpoint)
		snprintf(run->checkpoint, room, "%s.ckpt", run->output);
	if (!options->resume && access(run->checkpoint, F_OK) == 0)
		return mch_err_set(err, run->checkpoint,
				   "holds an unfinished run; give --resume to go on with it, or remove it "
				   "to begin anew");
	catch_signals();
	return 0;
}

void mch_train_run_identify(struct mch_train_run *run)
{
	const struct mch_sgd_config *c = &run->options->config;
	const size_t n = strlen(run->identity);
	char rate[32], momentum[32], decay[32];
	snprintf(run->identity + n, sizeof(run->identity) - n,
		 "--epochs=%d\n--batch=%d\n--lr=%s\n--policy=%s\n--momentum=%s\n--decay=%s\n--shift=%d\n--flip=%s\n"
		 "--seed=%llu\n",
		 c->n_epochs, c->batch, mch_real_text(c->rate, rate), mch_policy_name(c->policy),
		 mch_real_text(c->momentum, momentum), mch_real_text(c->decay, decay), c->max_shift,
		 c->flip ? "yes" : "no", (unsigned long long)c->seed);
}

int mch_train_run_resume(struct mch_train_run *run, struct mch_err *err)
{
	struct mch_sgd_state *state = mch_sgd_state(run->sgd);
	run->start_s = run->saved_s = now_s();
	if (!run->options->resume)
		return 0;
	if (mch_checkpoint_read(run->checkpoint, run->identity, run->net, state, &run->more, err) != 0)
		return -1;
	if (!run->options->quiet)
		fprintf(stderr, "%s: going on after epoch %d and %d images\n", run->checkpoint, state->epoch,
			state->n_done);
	return 0;
}

static int save(struct mch_train_run *run, struct mch_err *err)
{
	run->saved_s = now_s();
	return mch_checkpoint_write(run->checkpoint, run->identity, run->net, mch_sgd_state(run->sgd), &run->more, err);
}

static void show_step(struct mch_train_run *run)
{
	const struct mch_sgd_state *state = mch_sgd_state(run->sgd);
	const struct mch_sgd_config *c = &run->options->config;
	snprintf(run->bar_text, sizeof(run->bar_text), "epoch %d/%d, loss %.4f", state->epoch + 1, c->n_epochs,
		 state->loss / state->n_done);
	mch_progress_update(&run->bar, (uint64_t)state->n_done, (uint64_t)c->n_images);
}

void mch_train_run_tell(struct mch_train_run *run)
{
	const struct mch_sgd_state *state = mch_sgd_state(run->sgd);
	const struct mch_sgd_config *c = &run->options->config;
	fprintf(stderr, "epoch %*d/%d  loss %.4f  train accuracy %5.2f %%", c->n_epochs > 9 ? 2 : 1, state->epoch,
		c->n_epochs, state->loss / c->n_images, 100.0 * (double)state->n_right / c->n_images);
}

static int end_epoch(struct mch_train_run *run, struct mch_err *err)
{
	mch_progress_end(&run->bar);
	if (run->end_epoch(run->ctx, err) != 0)
		return -1;
	if (!run->options->quiet)
		mch_progress_begin(&run->bar, run->bar_text, "images");
	return 0;
}

int mch_train_run_steps(struct mch_train_run *run, struct mch_err *err)
{
	const struct mch_sgd_state *state = mch_sgd_state(run->sgd);
	if (!run->options->quiet)
		mch_progress_begin(&run->bar, run->bar_text, "images");
	int status = 0;
	while (status == 0 && !mch_sgd_is_done(run->sgd) && !is_interrupted) {
		status = mch_sgd_step(run->sgd, err);
		if (status != 0)
			break;
		if (state->n_done == 0)
			status = end_epoch(run, err);
		else
			show_step(run);
		if (status == 0 && (state->n_done == 0 || now_s() - run->saved_s >= CHECKPOINT_S))
			status = save(run, err);
	}
	mch_progress_end(&run->bar);
	if (status != 0 || mch_sgd_is_done(run->sgd))
		return status;
	if (save(run, err) != 0)
		return -1;
	return mch_err_set(err, run->output,
			   "interrupted in epoch %d of %d, the checkpoint is %s; give the same command "
			   "with --resume to go on",
			   state->epoch + 1, run->options->config.n_epochs, run->checkpoint);
}

double mch_train_run_seconds(const struct mch_train_run *run)
{
	return now_s() - run->start_s;
}

void mch_train_run_end(const struct mch_train_run *run)
{
	unlink(run->checkpoint);
}

void mch_train_run_free(struct mch_train_run *run)
{
	mch_sgd_free(run->sgd);
	free(run->checkpoint);
}
