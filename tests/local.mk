# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Macchiato authors
# To add a unit test: write tests/check_<stem>.c and add tests/check_<stem> to UNIT_TESTS. It is linked with the floors
# 0 to 3 and the oracles; one that needs more says so:
#   tests_check_<stem>_LDADD = $(ALL_LIBS)
# To add a test that is a script (tests/cli/...): make it executable, add it to SCRIPT_TESTS. It finds top_srcdir and
# top_builddir in its environment, exits 0, or 1 (failed), or 77 after "SKIP: reason; package to install", or 99.
UNIT_TESTS = \
	tests/check_accel \
	tests/check_accel_vector \
	tests/check_caffe_layers \
	tests/check_caffe_nets \
	tests/check_caffe_read \
	tests/check_caffe_ristretto \
	tests/check_caffe_weights \
	tests/check_caffe_write \
	tests/check_concat \
	tests/check_conv \
	tests/check_corrupt \
	tests/check_cost \
	tests/check_crc32 \
	tests/check_data \
	tests/check_datapath \
	tests/check_dpi \
	tests/check_dataset \
	tests/check_driver \
	tests/check_eltwise \
	tests/check_encode \
	tests/check_err \
	tests/check_exact \
	tests/check_exact_layers \
	tests/check_float \
	tests/check_format \
	tests/check_bias_correct \
	tests/check_equalize \
	tests/check_formats \
	tests/check_fraction \
	tests/check_gather \
	tests/check_gen \
	tests/check_grad \
	tests/check_hash \
	tests/check_hint \
	tests/check_idx \
	tests/check_image \
	tests/check_layer \
	tests/check_layer_shape \
	tests/check_lfsr \
	tests/check_lmdb \
	tests/check_lower \
	tests/check_mac \
	tests/check_mac_array \
	tests/check_mem \
	tests/check_mem_form \
	tests/check_mixed \
	tests/check_names \
	tests/check_npy \
	tests/check_number \
	tests/check_number_nets \
	tests/check_number_steps \
	tests/check_onnx \
	tests/check_onnx_data \
	tests/check_onnx_foreign \
	tests/check_onnx_kinds \
	tests/check_onnx_ops \
	tests/check_onnx_quant \
	tests/check_onnx_refusals \
	tests/check_onnx_tensors \
	tests/check_optimizer \
	tests/check_outfile \
	tests/check_place \
	tests/check_refine \
	tests/check_pareto \
	tests/check_pool \
	tests/check_profile \
	tests/check_program \
	tests/check_program_folder \
	tests/check_program_rules \
	tests/check_prefix \
	tests/check_prototxt \
	tests/check_qnet \
	tests/check_quant_json \
	tests/check_quantizer \
	tests/check_range \
	tests/check_ranges \
	tests/check_report \
	tests/check_requant \
	tests/check_requant_lane \
	tests/check_round_shift \
	tests/check_ristretto_faults \
	tests/check_rows \
	tests/check_sat \
	tests/check_score \
	tests/check_search \
	tests/check_sgd \
	tests/check_svg \
	tests/check_top \
	tests/check_temporary \
	tests/check_tensor \
	tests/check_train_nets \
	tests/check_vec \
	tests/check_wide \
	tests/check_wire \
	tests/check_witness \
	tests/check_witness_nets

SCRIPT_TESTS = \
	tests/cli/certificates.sh \
	tests/cli/completion.sh \
	tests/cli/convert.sh \
	tests/cli/eval.sh \
	tests/cli/export-verilog.sh \
	tests/cli/export-program.sh \
	tests/cli/export.sh \
	tests/cli/fusesoc.sh \
	tests/cli/gen.sh \
	tests/cli/info.sh \
	tests/cli/interrupt.sh \
	tests/cli/lenet.sh \
	tests/cli/manual.sh \
	tests/cli/measure-cost.sh \
	tests/cli/mutate-c.sh \
	tests/cli/plan.sh \
	tests/cli/prove.sh \
	tests/cli/profile.sh \
	tests/cli/quantize.sh \
	tests/cli/ranges.sh \
	tests/cli/report-browser.sh \
	tests/cli/report.sh \
	tests/cli/search-kill.sh \
	tests/cli/search.sh \
	tests/cli/stranger.sh \
	tests/cli/train.sh \
	tests/cli/tune.sh \
	tests/cli/usage.sh \
	tests/conformance.sh \
	tests/fuzz/corpus.sh \
	tests/docs/faults.sh \
	tests/docs/tutorial.sh \
	tests/docs/vectors.sh

AM_CPPFLAGS += -I$(top_srcdir)/tests $(CHECK_CFLAGS)
AM_TESTS_ENVIRONMENT = \
	LC_ALL=C; top_srcdir='$(abs_top_srcdir)'; top_builddir='$(abs_top_builddir)'; CC='$(CC)'; \
	export LC_ALL top_srcdir top_builddir CC;

check_LIBRARIES += tests/librandom.a tests/oracle/libslow.a
# For benches of whole networks.
tests_librandom_a_SOURCES = tests/random_graph.c tests/random_graph.h tests/random_net.c tests/random_net.h
tests_oracle_libslow_a_SOURCES = \
	tests/oracle/slow_concat.c \
	tests/oracle/slow_concat.h \
	tests/oracle/slow_conv.c \
	tests/oracle/slow_conv.h \
	tests/oracle/slow_eltwise.c \
	tests/oracle/slow_eltwise.h \
	tests/oracle/slow_fxp.c \
	tests/oracle/slow_fxp.h \
	tests/oracle/slow_layers.c \
	tests/oracle/slow_layers.h \
	tests/oracle/slow_number.c \
	tests/oracle/slow_number.h \
	tests/oracle/slow_pool.c \
	tests/oracle/slow_pool.h \
	tests/oracle/slow_wide.c \
	tests/oracle/slow_wide.h

LOW_LIBS = \
	tests/oracle/libslow.a \
	cmodel/op/libop.a \
	cmodel/tensor/libtensor.a \
	cmodel/fxp/libfxp.a \
	cmodel/base/libbase.a \
	-lm
# Of every program that names no libraries of its own.
LDADD = $(LOW_LIBS) $(CHECK_LIBS)
ALL_LIBS = $(MCH_LIBS) $(MCH_LIBS_SYS) $(CHECK_LIBS)

PICTURE_FILE = tests/picture_file.c tests/picture_file.h
ACCEL_FIXTURE = tests/accel_fixture.c tests/accel_fixture.h
tests_check_accel_SOURCES = tests/check_accel.c $(ACCEL_FIXTURE)
tests_check_accel_LDADD = $(ALL_LIBS)
tests_check_accel_vector_SOURCES = tests/check_accel_vector.c $(ACCEL_FIXTURE)
tests_check_accel_vector_LDADD = $(ALL_LIBS)
tests_check_corrupt_SOURCES = tests/check_corrupt.c $(ACCEL_FIXTURE)
tests_check_corrupt_LDADD = $(ALL_LIBS)
tests_check_program_folder_SOURCES = tests/check_program_folder.c $(ACCEL_FIXTURE) $(RANDOM_GRAPH)
tests_check_program_folder_LDADD = $(ALL_LIBS)
check_PROGRAMS += tests/make_accel_net
tests_make_accel_net_SOURCES = tests/make_accel_net.c $(ACCEL_FIXTURE)
tests_make_accel_net_LDADD = $(ALL_LIBS)
check_PROGRAMS += tests/make_onnx_kinds
tests_make_onnx_kinds_SOURCES = tests/make_onnx_kinds.c tests/kind_nets.c tests/kind_nets.h tests/kind_pools.c $(ONNX_TEXT)
tests_make_onnx_kinds_LDADD = $(MCH_LIBS) $(MCH_LIBS_SYS)
check_PROGRAMS += tests/make_quant_net
tests_make_quant_net_LDADD = $(MCH_LIBS) $(MCH_LIBS_SYS)
tests_check_caffe_layers_LDADD = $(ALL_LIBS)
tests_check_caffe_nets_LDADD = $(ALL_LIBS)
tests_check_caffe_read_LDADD = $(ALL_LIBS)
tests_check_caffe_ristretto_LDADD = $(ALL_LIBS)
tests_check_caffe_weights_LDADD = $(ALL_LIBS)
tests_check_caffe_write_LDADD = $(ALL_LIBS)
# The ONNX backend tests: tests/conformance.sh runs them.
check_PROGRAMS += tests/conformance
tests_conformance_SOURCES = \
	tests/conformance.c \
	tests/conformance_case.c \
	tests/conformance_case.h \
	tests/conformance_data.c \
	tests/conformance_data.h
tests_conformance_LDADD = $(MCH_LIBS) $(MCH_LIBS_SYS)
tests_check_datapath_LDADD = cmodel/arch/libarch.a $(LDADD)
# Speed, not correctness: `make bench` runs it.
EXTRA_PROGRAMS += tests/bench_data tests/bench_exact tests/bench_float
CLEANFILES += tests/bench_data$(EXEEXT) tests/bench_exact$(EXEEXT) tests/bench_float$(EXEEXT)
tests_bench_data_LDADD = $(MCH_LIBS) $(MCH_LIBS_SYS)
tests_bench_exact_SOURCES = tests/bench_exact.c tests/random_net.c tests/random_net.h
tests_bench_exact_LDADD = $(MCH_LIBS) $(MCH_LIBS_SYS)
tests_check_data_SOURCES = tests/check_data.c tests/data_fixture.h $(PICTURE_FILE)
tests_check_data_LDADD = $(ALL_LIBS)
tests_check_dataset_LDADD = $(ALL_LIBS)
# Against the shared library, as a simulator has it.
tests_check_dpi_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)
tests_check_dpi_LDADD = dpi/libmacchiato-dpi.so $(CHECK_LIBS)
tests_check_dpi_LDFLAGS = $(AM_LDFLAGS) -Wl,-rpath,$(abs_top_builddir)/dpi
tests_check_driver_LDADD = driver/libdriver.a cmodel/arch/libarch.a $(LDADD)
RANDOM_GRAPH = tests/random_graph.c tests/random_graph.h tests/random_net.c tests/random_net.h
tests_bench_float_LDADD = $(MCH_LIBS) $(MCH_LIBS_SYS)
EXACT_COMPARE = tests/exact_compare.c tests/exact_compare.h $(RANDOM_GRAPH)
tests_check_exact_SOURCES = tests/check_exact.c $(EXACT_COMPARE)
tests_check_exact_layers_SOURCES = tests/check_exact_layers.c $(EXACT_COMPARE)
tests_check_exact_layers_LDADD = $(ALL_LIBS)
tests_check_prefix_SOURCES = tests/check_prefix.c $(RANDOM_GRAPH)
tests_check_prefix_LDADD = $(ALL_LIBS)
tests_check_top_SOURCES = tests/check_top.c $(RANDOM_GRAPH)
tests_check_top_LDADD = $(ALL_LIBS)
tests_check_program_SOURCES = tests/check_program.c $(RANDOM_GRAPH)
tests_check_program_LDADD = $(ALL_LIBS)
tests_check_program_rules_SOURCES = tests/check_program_rules.c $(RANDOM_GRAPH)
tests_check_program_rules_LDADD = $(ALL_LIBS)
tests_check_qnet_SOURCES = tests/check_qnet.c $(RANDOM_GRAPH)
tests_check_qnet_LDADD = $(ALL_LIBS)
tests_check_exact_LDADD = $(ALL_LIBS)
tests_check_number_nets_SOURCES = tests/check_number_nets.c $(RANDOM_GRAPH)
tests_check_number_nets_LDADD = $(ALL_LIBS)
tests_check_number_steps_SOURCES = tests/check_number_steps.c $(RANDOM_GRAPH)
tests_check_number_steps_LDADD = tests/oracle/libslow.a $(ALL_LIBS)
tests_check_float_SOURCES = tests/check_float.c tests/random_kinds.c tests/random_kinds.h tests/random_net.c \
	tests/random_net.h
tests_check_float_LDADD = $(ALL_LIBS)
tests_check_bias_correct_LDADD = $(ALL_LIBS)
tests_check_requant_lane_LDADD = $(ALL_LIBS)
tests_check_equalize_LDADD = $(ALL_LIBS)
tests_check_refine_LDADD = $(ALL_LIBS)
tests_check_formats_LDADD = $(ALL_LIBS)
tests_check_fraction_LDADD = $(ALL_LIBS)
tests_check_grad_LDADD = $(ALL_LIBS)
tests_check_hash_LDADD = $(ALL_LIBS)
tests_check_idx_LDADD = $(ALL_LIBS)
tests_check_layer_SOURCES = tests/check_layer.c tests/random_dag.c tests/random_dag.h
tests_check_layer_LDADD = tests/oracle/libslow.a $(ALL_LIBS)
tests_check_layer_shape_LDADD = $(ALL_LIBS)
tests_check_lower_SOURCES = tests/check_lower.c tests/random_dag.c tests/random_dag.h
tests_check_lower_LDADD = $(ALL_LIBS)
tests_check_image_SOURCES = tests/check_image.c $(PICTURE_FILE)
tests_check_image_LDADD = $(ALL_LIBS)
tests_check_lmdb_SOURCES = tests/check_lmdb.c tests/data_fixture.h $(PICTURE_FILE)
tests_check_lmdb_LDADD = $(ALL_LIBS)
tests_check_mac_array_LDADD = cmodel/arch/libarch.a $(LDADD)
tests_check_gen_SOURCES = tests/check_gen.c cmodel/cli/cmd.c cmodel/cli/gen.c cmodel/cli/gen.h cmodel/cli/gen_dot.c \
	cmodel/cli/gen_draw.c cmodel/cli/gen_ops.c cmodel/cli/gen_params.c cmodel/cli/gen_params.h cmodel/cli/gen_scalar.c \
	cmodel/cli/gen_tensor.c
tests_check_gen_LDADD = $(LDADD)
tests_check_names_LDADD = $(ALL_LIBS)
tests_check_npy_SOURCES = tests/check_npy.c tests/data_fixture.h
tests_check_npy_LDADD = $(ALL_LIBS)
tests_check_svg_LDADD = $(ALL_LIBS)
tests_check_onnx_LDADD = $(ALL_LIBS)
tests_check_onnx_data_LDADD = $(ALL_LIBS)
tests_check_onnx_foreign_LDADD = $(ALL_LIBS)
tests_check_onnx_kinds_SOURCES = tests/check_onnx_kinds.c tests/kind_nets.c tests/kind_nets.h tests/kind_pools.c
tests_check_onnx_kinds_LDADD = $(ALL_LIBS)
ONNX_TEXT = tests/onnx_text.c tests/onnx_text.h
tests_check_onnx_ops_SOURCES = tests/check_onnx_ops.c $(ONNX_TEXT)
tests_check_onnx_quant_SOURCES = tests/check_onnx_quant.c $(ONNX_TEXT)
tests_check_onnx_quant_LDADD = $(ALL_LIBS)
tests_check_onnx_ops_LDADD = $(ALL_LIBS)
tests_check_onnx_refusals_SOURCES = tests/check_onnx_refusals.c $(ONNX_TEXT)
tests_check_onnx_refusals_LDADD = $(ALL_LIBS)
tests_check_onnx_tensors_SOURCES = tests/check_onnx_tensors.c $(ONNX_TEXT)
tests_check_onnx_tensors_LDADD = $(ALL_LIBS)
tests_check_place_LDADD = cmodel/fast/libfast.a $(LDADD)
tests_check_profile_LDADD = $(ALL_LIBS)
tests_check_prototxt_LDADD = $(ALL_LIBS)
tests_check_quant_json_LDADD = $(ALL_LIBS)
tests_check_range_LDADD = $(ALL_LIBS)
tests_check_ranges_LDADD = $(ALL_LIBS)
tests_check_rows_LDADD = $(ALL_LIBS)
tests_check_score_LDADD = $(ALL_LIBS)
tests_check_search_LDADD = $(ALL_LIBS)
tests_check_ristretto_faults_LDADD = $(ALL_LIBS)
tests_check_cost_LDADD = $(ALL_LIBS)
tests_check_mixed_LDADD = $(ALL_LIBS)
tests_check_pareto_LDADD = $(ALL_LIBS)
tests_check_optimizer_LDADD = $(ALL_LIBS)
tests_check_quantizer_SOURCES = tests/check_quantizer.c $(RANDOM_GRAPH)
tests_check_quantizer_LDADD = $(ALL_LIBS)
tests_check_sgd_SOURCES = tests/check_sgd.c tests/sgd_trial.c tests/sgd_trial.h
tests_check_sgd_LDADD = $(ALL_LIBS)
tests_check_train_nets_LDADD = $(ALL_LIBS)
tests_check_wire_LDADD = $(ALL_LIBS)
tests_check_witness_SOURCES = tests/check_witness.c tests/random_net.c tests/random_net.h tests/tight.c tests/tight.h
tests_check_witness_LDADD = $(ALL_LIBS)
tests_check_witness_nets_SOURCES = tests/check_witness_nets.c tests/tight.c tests/tight.h
tests_check_witness_nets_LDADD = $(ALL_LIBS)

# Parsers against any bytes: scripts/fuzz builds fuzz and flip with clang, `make check` replays the corpus.
FUZZ_SOURCES = tests/fuzz/fuzz.h tests/fuzz/targets.c tests/fuzz/targets_data.c tests/fuzz/targets_image.c \
	tests/fuzz/targets_net.c
EXTRA_PROGRAMS += tests/fuzz/fuzz
tests_fuzz_fuzz_SOURCES = tests/fuzz/fuzz_main.c $(FUZZ_SOURCES)
tests_fuzz_fuzz_LDADD = $(MCH_LIBS) $(MCH_LIBS_SYS)
FUZZ_ENGINE =
tests_fuzz_fuzz_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_ENGINE)
check_PROGRAMS += tests/fuzz/flip tests/fuzz/replay
tests_fuzz_flip_SOURCES = tests/fuzz/flip.c $(FUZZ_SOURCES)
tests_fuzz_flip_LDADD = $(MCH_LIBS) $(MCH_LIBS_SYS)
tests_fuzz_replay_SOURCES = tests/fuzz/replay.c $(FUZZ_SOURCES)
tests_fuzz_replay_LDADD = $(MCH_LIBS) $(MCH_LIBS_SYS)

if HAVE_CHECK
check_PROGRAMS += $(UNIT_TESTS)
TESTS += $(UNIT_TESTS)
else
TESTS += tests/no-check
endif
TESTS += $(SCRIPT_TESTS)
EXTRA_DIST += \
	$(SCRIPT_TESTS) \
	tests/check_main.h \
	tests/cli/expect.sh \
	tests/cli/train-data.sh \
	tests/corners.h \
	tests/doc_block.h \
	tests/fuzz/corpus \
	tests/mutants-same.txt \
	tests/mutants.txt \
	tests/nets/README.md \
	tests/nets/lenet.onnx \
	tests/nets/lenet.prototxt \
	tests/nets/mobilenet_v1.prototxt \
	tests/nets/resnet8.prototxt \
	tests/no-check \
	tests/policy_of.h \
	tests/small_net.h \
	tests/temp.h
