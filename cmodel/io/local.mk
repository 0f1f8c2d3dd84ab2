# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Macchiato authors
noinst_LIBRARIES += cmodel/io/libio.a cmodel/io/libonnx_pb.a
cmodel_io_libio_a_SOURCES = \
	cmodel/io/accel_choose.c \
	cmodel/io/accel_config.c \
	cmodel/io/accel_config.h \
	cmodel/io/accel_folder.c \
	cmodel/io/accel_folder.h \
	cmodel/io/accel_golden.c \
	cmodel/io/accel_golden.h \
	cmodel/io/accel_header.c \
	cmodel/io/accel_header.h \
	cmodel/io/accel_image.c \
	cmodel/io/accel_image.h \
	cmodel/io/accel_manifest.c \
	cmodel/io/accel_manifest.h \
	cmodel/io/accel_read.c \
	cmodel/io/accel_read.h \
	cmodel/io/accel_table.c \
	cmodel/io/accel_table.h \
	cmodel/io/accel_vector.c \
	cmodel/io/accel_vector.h \
	cmodel/io/accel_write.c \
	cmodel/io/accel_write.h \
	cmodel/io/build.c \
	cmodel/io/build.h \
	cmodel/io/caffe_blob.c \
	cmodel/io/caffe_blob.h \
	cmodel/io/caffe_field.c \
	cmodel/io/caffe_input.c \
	cmodel/io/caffe_layer.c \
	cmodel/io/caffe_layer.h \
	cmodel/io/caffe_mac.c \
	cmodel/io/caffe_map.c \
	cmodel/io/caffe_mean.c \
	cmodel/io/caffe_mean.h \
	cmodel/io/caffe_out.c \
	cmodel/io/caffe_out.h \
	cmodel/io/caffe_phase.c \
	cmodel/io/caffe_read.c \
	cmodel/io/caffe_read.h \
	cmodel/io/caffe_ristretto.c \
	cmodel/io/caffe_shape.c \
	cmodel/io/caffe_weights.c \
	cmodel/io/caffe_weights.h \
	cmodel/io/caffe_write.c \
	cmodel/io/caffe_write.h \
	cmodel/io/caffe_write_text.c \
	cmodel/io/cifar.c \
	cmodel/io/data.c \
	cmodel/io/data.h \
	cmodel/io/datum.c \
	cmodel/io/datum.h \
	cmodel/io/file.c \
	cmodel/io/file.h \
	cmodel/io/hash.c \
	cmodel/io/hash.h \
	cmodel/io/hash_net.c \
	cmodel/io/idx.c \
	cmodel/io/idx.h \
	cmodel/io/image.c \
	cmodel/io/image.h \
	cmodel/io/jpeg.c \
	cmodel/io/list.c \
	cmodel/io/lmdb.c \
	cmodel/io/names.c \
	cmodel/io/names.h \
	cmodel/io/net_read.c \
	cmodel/io/net_read.h \
	cmodel/io/npy.c \
	cmodel/io/npy.h \
	cmodel/io/npy_data.c \
	cmodel/io/onnx_attr.c \
	cmodel/io/onnx_attr.h \
	cmodel/io/onnx_broadcast.c \
	cmodel/io/onnx_broadcast.h \
	cmodel/io/onnx_concat.c \
	cmodel/io/onnx_constant.c \
	cmodel/io/onnx_dense.c \
	cmodel/io/onnx_eltwise.c \
	cmodel/io/onnx_emit.c \
	cmodel/io/onnx_emit.h \
	cmodel/io/onnx_fold.c \
	cmodel/io/onnx_graph.c \
	cmodel/io/onnx_graph.h \
	cmodel/io/onnx_group.c \
	cmodel/io/onnx_group.h \
	cmodel/io/onnx_integers.c \
	cmodel/io/onnx_load.c \
	cmodel/io/onnx_load.h \
	cmodel/io/onnx_map.c \
	cmodel/io/onnx_mark.c \
	cmodel/io/onnx_mark.h \
	cmodel/io/onnx_mark_text.c \
	cmodel/io/onnx_mark_text.h \
	cmodel/io/onnx_metadata.c \
	cmodel/io/onnx_metadata.h \
	cmodel/io/onnx_node.c \
	cmodel/io/onnx_op.c \
	cmodel/io/onnx_op.h \
	cmodel/io/onnx_pick.c \
	cmodel/io/onnx_pool.c \
	cmodel/io/onnx_read.c \
	cmodel/io/onnx_read.h \
	cmodel/io/onnx_resize.c \
	cmodel/io/onnx_shape.c \
	cmodel/io/onnx_tensor.c \
	cmodel/io/onnx_view.c \
	cmodel/io/onnx_weights.c \
	cmodel/io/onnx_window.c \
	cmodel/io/onnx_write.c \
	cmodel/io/onnx_write.h \
	cmodel/io/onnx_write_layer.c \
	cmodel/io/onnx_write_many.c \
	cmodel/io/onnx_write_pick.c \
	cmodel/io/onnx_write_pool.c \
	cmodel/io/picture.c \
	cmodel/io/picture.h \
	cmodel/io/png.c \
	cmodel/io/prototxt.c \
	cmodel/io/prototxt.h \
	cmodel/io/prototxt_parse.c \
	cmodel/io/quant_json.h \
	cmodel/io/quant_json_read.c \
	cmodel/io/quant_json_write.c \
	cmodel/io/quant_keys.h \
	cmodel/io/real_text.c \
	cmodel/io/real_text.h \
	cmodel/io/wire.c \
	cmodel/io/wire.h \
	cmodel/io/wire_open.c \
	cmodel/io/wire_put.c

# Generated code keeps its own rules: it is compiled without our warnings.
nodist_cmodel_io_libonnx_pb_a_SOURCES = cmodel/io/onnx.pb-c.c cmodel/io/onnx.pb-c.h
cmodel_io_libonnx_pb_a_SOURCES =
cmodel_io_libonnx_pb_a_CFLAGS = -std=c11 $(MCH_SANITIZE)
BUILT_SOURCES += cmodel/io/onnx.pb-c.h
CLEANFILES += cmodel/io/onnx.pb-c.c cmodel/io/onnx.pb-c.h
EXTRA_DIST += cmodel/io/onnx.proto
cmodel/io/onnx.pb-c.c: cmodel/io/onnx.proto
	$(AM_V_GEN)$(MKDIR_P) cmodel/io && \
	$(PROTOC_C) --proto_path=$(top_srcdir)/cmodel --c_out=cmodel $(top_srcdir)/cmodel/io/onnx.proto
cmodel/io/onnx.pb-c.h: cmodel/io/onnx.pb-c.c
