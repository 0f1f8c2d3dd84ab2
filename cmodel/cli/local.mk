# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Macchiato authors
bin_PROGRAMS += macchiato
macchiato_SOURCES = \
	cmodel/cli/build_options.c \
	cmodel/cli/build_options.h \
	cmodel/cli/certificates.c \
	cmodel/cli/certificates.h \
	cmodel/cli/cmd.c \
	cmodel/cli/cmd.h \
	cmodel/cli/cmd_convert.c \
	cmodel/cli/cmd_eval.c \
	cmodel/cli/cmd_export.c \
	cmodel/cli/cmd_gen.c \
	cmodel/cli/cmd_info.c \
	cmodel/cli/cmd_plan.c \
	cmodel/cli/cmd_quantize.c \
	cmodel/cli/cmd_ranges.c \
	cmodel/cli/cmd_report.c \
	cmodel/cli/cmd_train.c \
	cmodel/cli/cmd_tune.c \
	cmodel/cli/cmd_ver.c \
	cmodel/cli/data_options.c \
	cmodel/cli/data_options.h \
	cmodel/cli/eval_options.c \
	cmodel/cli/eval_options.h \
	cmodel/cli/eval_report.c \
	cmodel/cli/eval_report.h \
	cmodel/cli/export_program.c \
	cmodel/cli/export_program.h \
	cmodel/cli/format_text.c \
	cmodel/cli/format_text.h \
	cmodel/cli/gen.c \
	cmodel/cli/gen.h \
	cmodel/cli/gen_dot.c \
	cmodel/cli/gen_draw.c \
	cmodel/cli/gen_hint.c \
	cmodel/cli/gen_ops.c \
	cmodel/cli/gen_params.c \
	cmodel/cli/gen_params.h \
	cmodel/cli/gen_scalar.c \
	cmodel/cli/gen_tensor.c \
	cmodel/cli/host_layers.c \
	cmodel/cli/host_layers.h \
	cmodel/cli/layer_text.c \
	cmodel/cli/layer_text.h \
	cmodel/cli/load.c \
	cmodel/cli/load.h \
	cmodel/cli/main.c \
	cmodel/cli/net_options.c \
	cmodel/cli/net_options.h \
	cmodel/cli/options.c \
	cmodel/cli/plan_program.c \
	cmodel/cli/plan_program.h \
	cmodel/cli/policy_options.c \
	cmodel/cli/policy_options.h \
	cmodel/cli/progress.c \
	cmodel/cli/progress.h \
	cmodel/cli/quantize_job.h \
	cmodel/cli/quantize_json.c \
	cmodel/cli/quantize_load.c \
	cmodel/cli/quantize_options.c \
	cmodel/cli/quantize_options.h \
	cmodel/cli/quantize_refine.c \
	cmodel/cli/quantize_report.c \
	cmodel/cli/quantize_report.h \
	cmodel/cli/quantize_search.c \
	cmodel/cli/report_facts.c \
	cmodel/cli/report_facts.h \
	cmodel/cli/report_layers.c \
	cmodel/cli/report_options.c \
	cmodel/cli/report_options.h \
	cmodel/cli/scores.c \
	cmodel/cli/scores.h \
	cmodel/cli/search_options.c \
	cmodel/cli/search_options.h \
	cmodel/cli/train_options.c \
	cmodel/cli/train_options.h \
	cmodel/cli/train_run.c \
	cmodel/cli/train_run.h \
	cmodel/cli/tune_job.h \
	cmodel/cli/tune_load.c \
	cmodel/cli/tune_options.c \
	cmodel/cli/tune_options.h \
	cmodel/cli/tune_report.c
# From the top floor down: a library may only need those that come after it.
MCH_LIBS = \
	cmodel/train/libtrain.a \
	cmodel/io/libio.a \
	cmodel/io/libonnx_pb.a \
	cmodel/quant/libquant.a \
	cmodel/arch/libarch.a \
	cmodel/net/libnet.a \
	cmodel/fast/libfast.a \
	cmodel/op/libop.a \
	cmodel/tensor/libtensor.a \
	cmodel/fxp/libfxp.a \
	cmodel/base/libbase.a
MCH_LIBS_SYS = $(PROTOBUF_C_LIBS) $(JANSSON_LIBS) $(ZLIB_LIBS) $(LIBMD_LIBS) $(LIBJPEG_LIBS) $(LIBPNG_LIBS) $(LMDB_LIBS) $(DNNL_LIBS) -lm
macchiato_LDADD = $(MCH_LIBS) $(MCH_LIBS_SYS)
# Where bash looks for the completion of a command of that name.
bashcompletiondir = $(datadir)/bash-completion/completions
dist_bashcompletion_DATA = cmodel/cli/macchiato.bash
