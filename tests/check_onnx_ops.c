/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* What each ONNX operator, in each of its forms, becomes: layers, geometry and parameters. */
#include "check_main.h"

#include <string.h>

#include "io/onnx_read.h"
#include "onnx_text.h"

/* A model, and its layers (onnx_text.h). */
static const struct {
	const char *model, *want;
} cases[] = {
	{"in x 1x2x5x5; f w 3x2x3x3 = ramp; f b 3 = 1 2 3; Conv x w b -> y strides=[2,2] pads=[1,0,1,0]; out y",
	 "conv 3x3x2 k3x3 s2x2 p1,0,1,0 w=1,2,3,4,5,6,7,8... b=1,2,3"},
	{"in x Nx4x5x5; f w 4x1x3x3 = ramp; Conv x w -> y group=4 dilations=[2,1] auto_pad=SAME_UPPER; out y",
	 "conv 4x5x5 k3x3 p2,1,2,1 d2x1 g4 w=1,2,3,4,5,6,7,8..."},
	{"in x Nx4x5x5; f w 2x4x2x2 = ramp; Conv x w -> y auto_pad=SAME_LOWER strides=[2,2]; out y",
	 "conv 2x3x3 k2x2 s2x2 p1,1,0,0 w=1,2,3,4,5,6,7,8..."},
	{"in x Nx2x5x5; f w 1x2x3x3 = ramp; Conv x w -> y auto_pad=VALID kernel_shape=[3,3]; out y",
	 "conv 1x3x3 k3x3 w=1,2,3,4,5,6,7,8..."},
	{"in x Nx3x8; f w 2x3x3 = ramp; Conv x w -> y strides=[2] pads=[1,0]; out y",
	 "conv 2x1x4 k1x3 s1x2 p0,1,0,0 w=1,2,3,4,5,6,7,8..."},
	{"in x 1x1x3x3; f w 1x2x3x3 = ramp; ConvTranspose x w -> y strides=[3,2] output_padding=[1,1]; out y",
	 "deconv 2x10x8 k3x3 s3x2 o1x1 w=1,2,3,4,5,6,7,8..."},
	{"in x 1x1x3x3; f w 1x2x3x3 = ramp; ConvTranspose x w -> y strides=[3,2] output_shape=[10,8]; out y",
	 "deconv 2x10x8 k3x3 s3x2 o1x1 w=1,2,3,4,5,6,7,8..."},
	{"in x 1x1x3x3; f w 1x2x3x3 = ramp; ConvTranspose x w -> y strides=[2,2] auto_pad=SAME_UPPER; out y",
	 "deconv 2x6x6 k3x3 s2x2 p0,0,1,1 w=1,2,3,4,5,6,7,8..."},
	{"in x 1x4x3; f w 4x1x2 = ramp; f b 2 = 5 6; ConvTranspose x w b -> y group=2; out y",
	 "deconv 2x1x4 k1x2 g2 w=1,2,3,4,5,6,7,8 b=5,6"},
	{"in x Nx3; f w 3x2 = ramp; f b 2 = 1 2; Gemm x w b -> y alpha=2.0 beta=3.0; out y",
	 "dense 2x1x1 w=2,6,10,4,8,12 b=3,6"},
	{"in x Nx3; f w 2x3 = ramp; f b - = 7; Gemm x w b -> y transB=1; out y", "dense 2x1x1 w=1,2,3,4,5,6 b=7,7"},
	{"in x Nx3; f w 3x2 = ramp; f b 1x2 = 1 2; MatMul x w -> m; Add m b -> y; out y",
	 "dense 2x1x1 w=1,3,5,2,4,6 b=1,2"},
	{"in x Nx3; f w 2x3 = ramp; Transpose w -> t perm=[1,0]; MatMul x t -> y; out y",
	 "dense 2x1x1 w=1,2,3,4,5,6"},
	{"in x Nx5x3; f w 3x2 = ramp; MatMul x w -> y; out y",
	 "transpose 3x1x5 210 | conv 2x1x5 k1x1 w=1,3,5,2,4,6 | transpose 5x1x2 210"},
	{"in x Nx2x5x3; f w 2x3x2 = ramp; MatMul x w -> y; out y",
	 "transpose 2x3x5 021 | reshape 6x1x5 | conv 4x1x5 k1x1 g2 w=1,3,5,2,4,6,7,9... | reshape 2x2x5 | transpose "
	 "2x5x2 021"},
	{"in x 1x2x7x7; MaxPool x -> y kernel_shape=[3,3] strides=[2,2] ceil_mode=1 dilations=[2,1] pads=[1,1,1,1]; "
	 "out y",
	 "max pool 2x3x4 k3x3 s2x2 p1,1,1,1 d2x1 ceil"},
	{"in x 1x2x7x7; AveragePool x -> y kernel_shape=[2,2] auto_pad=SAME_UPPER count_include_pad=1; out y",
	 "average pool 2x7x7 k2x2 p0,0,1,1 count"},
	{"in x 1x2x7; AveragePool x -> y kernel_shape=[3]; out y", "average pool 2x1x5 k1x3"},
	{"in x 1x2x7x6; GlobalAveragePool x -> y; out y", "average pool 2x1x1 k7x6"},
	{"in x 1x2x7; GlobalMaxPool x -> y; out y", "max pool 2x1x1 k1x7"},
	{"in x 1x2x7x6; ReduceMean x -> y axes=[2,3] keepdims=0; out y", "average pool 2x1x1 k7x6"},
	{"opset 18; in x 1x2x7x6; i a 1 = -3; ReduceMax x a -> y; out y",
	 "reshape 1x2x42 | max pool 1x1x42 k2x1 | reshape 1x7x6"},
	{"in x 1x2x7x6; ReduceMean x -> y axes=[1,3]; out y",
	 "reshape 1x2x42 | average pool 1x1x42 k2x1 | reshape 7x1x6 | average pool 7x1x1 k1x6 | reshape 1x7x1"},
	{"in x 1x2x7x6; i a 2 = 2 3; ReduceSum x a -> y; out y", "average pool 2x1x1 k7x6 | scale 2x1x1 w=42,42"},
	{"in x 1x2x3x3; Relu x -> a; Sigmoid a -> b; Tanh b -> c; LeakyRelu c -> y alpha=0.5; out y",
	 "relu 2x3x3 | sigmoid 2x3x3 | tanh 2x3x3 | leaky relu 2x3x3 0.5"},
	{"opset 6; in x 1x2; Clip x -> y min=0.0 max=6.0; out y", "clip 2x1x1 0..6"},
	{"in x 1x2; f high - = 6; Clip x _ high -> y; out y", "clip 2x1x1 -inf..6"},
	{"in x 1x2x2x2; f s 2x1x1 = 0.5 0.25; PRelu x s -> y; out y", "prelu 2x2x2 w=0.5,0.25"},
	{"in x 1x2x2x2; f s 1 = 0.5; PRelu x s -> y; out y", "prelu 2x2x2 w=0.5"},
	{"in x 1x2x3; f s 3 = 1 2 3; PRelu x s -> y; out y",
	 "transpose 3x1x2 210 | prelu 3x1x2 w=1,2,3 | transpose 2x1x3 210"},
	{"in x 1x2; HardSigmoid x -> y; out y", "scale 2x1x1 w=0.2,0.2 b=0.5,0.5 | clip 2x1x1 0..1"},
	{"in x 1x2; HardSwish x -> y; out y",
	 "scale 2x1x1 w=0.1667,0.1667 b=0.5,0.5 | clip 2x1x1 0..1 | product 2x1x1"},
	{"in x 1x2; Neg x -> y; out y", "scale 2x1x1 w=-1,-1"},
	{"in x 1x2x3x4; Softmax x -> y axis=1; out y", "softmax 2x3x4"},
	{"in x 1x2x3x4; Softmax x -> y; out y",
	 "reshape 6x1x4 | transpose 4x1x6 210 | softmax 4x1x6 | transpose 6x1x4 210 | reshape 2x3x4"},
	{"opset 12; in x 1x2x3x4; LogSoftmax x -> y axis=2; out y",
	 "reshape 2x1x12 | transpose 12x1x2 210 | log softmax 12x1x2 | transpose 2x1x12 210 | reshape 2x3x4"},
	{"in x 1x6x3x3; LRN x -> y size=4 alpha=0.5 beta=0.25 bias=2.0; out y", "lrn 6x3x3 4 0.5 0.25 2"},
	{"in x 1x2x3x3; f s 2 = 1 2; f b 2 = 3 4; f m 2 = 5 6; f v 2 = 7 8; BatchNormalization x s b m v -> y "
	 "epsilon=0.5; out y",
	 "batch norm 2x3x3 0.5 w=1,2 b=3,4 m=5,6 v=7,8"},
	{"in x Nx2; in z Nx2; Add x z -> a; Sub a z -> b; Mul b x -> y; out y",
	 "sum 2x1x1 | sum 2x1x1 w=1,-1 | product 2x1x1"},
	{"in x 1x2x3x3; f c 2x1x1 = 3 4; Mul x c -> a; Add a c -> b; Sub b c -> d; Sub c d -> e; Div e c -> y; out y",
	 "scale 2x3x3 w=3,4 | scale 2x3x3 w=1,1 b=3,4 | scale 2x3x3 w=1,1 b=-3,-4 | scale 2x3x3 w=-1,-1 b=3,4 | "
	 "scale 2x3x3 w=0.3333,0.25"},
	{"in x 1x2x3x3; f c - = 4; Mul c x -> y; out y", "scale 2x3x3 w=4,4"},
	{"in x 1x2x3x3; f c 3 = 1 2 4; Div x c -> y; out y", "constant 1x1x3 w=1,0.5,0.25 | product 2x3x3"},
	{"in x 1x2x3x3; in s 1x2x1x1; Mul x s -> y; out y", "product 2x3x3"},
	{"in x 1x2x3x4x5; f c 2x1x1x5 = ramp; Add x c -> y; out y",
	 "reshape 2x12x5 | constant 2x1x5 w=1,2,3,4,5,6,7,8... | sum 2x12x5 | reshape 2x3x20"},
	{"in x 1x2; in z 1x2; in v 1x2; Sum x z v -> a; Mean a x -> b; Max b z -> c; Min c v -> y; out y",
	 "sum 2x1x1 | sum 2x1x1 w=0.5,0.5 | maximum 2x1x1 | scale 2x1x1 w=-1,-1 | scale 2x1x1 w=-1,-1 | maximum "
	 "2x1x1 | scale 2x1x1 w=-1,-1"},
	{"in x 1x2; f six - = 6; f zero 1 = 0; Min x six -> a; Max zero a -> y; out y",
	 "clip 2x1x1 -inf..6 | clip 2x1x1 0..inf"},
	{"in x 1x2x3x3; in z 1x1x3x3; Concat x z -> y axis=1; out y", "concat 3x3x3 on 1"},
	{"in x 1x2x3; in z 1x2x4; Concat x z -> y axis=-1; out y", "concat 2x1x7 on 3"},
	{"in x 1x2x3x4x5; Concat x x -> y axis=3; out y",
	 "reshape 6x4x5 | reshape 6x4x5 | concat 6x8x5 on 2 | reshape 2x3x40"},
	{"in x 1x2x2; f c 1x2x1 = 8 9; Concat x c -> y axis=2; out y", "constant 2x1x1 w=8,9 | concat 2x1x3 on 3"},
	{"opset 11; in x 1x5x2x2; Split x -> a b axis=1 split=[2,3]; Concat b a -> y axis=1; out y",
	 "slice 2x2x2 0,1/0,1/0,1 | slice 3x2x2 2,3,4/0,1/0,1 | concat 5x2x2 on 1"},
	{"in x 1x5x2x2; i s 2 = 1 4; Split x s -> a b axis=1; Relu b -> y; out y",
	 "slice 4x2x2 1,2,3,4/0,1/0,1 | relu 4x2x2"},
	{"opset 18; in x 1x5; Split x -> a b axis=1 num_outputs=2; Relu b -> y; out y",
	 "slice 2x1x1 3,4/0/0 | relu 2x1x1"},
	{"opset 9; in x 1x4x4x4; Slice x -> y starts=[1,0] ends=[-1,1000] axes=[2,3]; out y",
	 "slice 4x2x4 0,1,2,3/1,2/0,1,2,3"},
	{"in x 1x4x4; i s 1 = -1; i e 1 = -1000; i a 1 = 1; i t 1 = -2; Slice x s e a t -> y; out y",
	 "slice 2x1x4 3,1/0/0,1,2,3"},
	{"in x 1x2x3x4x5; i s 2 = 1 1; i e 2 = 3 2; i a 2 = 2 4; Slice x s e a -> y; out y",
	 "slice 2x2x20 0,1/1,2/0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19 | reshape 16x5x1 | slice 16x1x1 "
	 "0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15/1/0 | reshape 2x2x4"},
	{"in x 1x4x2; i n 2 = 3 -4; Gather x n -> y axis=1; out y", "slice 2x1x2 3,0/0/0,1"},
	{"in x 1x4x2; i n - = 1; Gather x n -> y axis=1; out y", "slice 1x1x2 1/0/0,1 | reshape 2x1x1"},
	{"opset 10; in x 1x1x2x2; Pad x -> y pads=[0,0,1,0,0,0,0,2] value=0.5; out y",
	 "pad 1x3x4 0/-1,0,1/0,1,-1,-1 fill 0.5"},
	{"in x 1x1x3x3; i p 8 = 0 0 2 0 0 0 0 1; Pad x p -> y mode=reflect; out y", "pad 1x5x4 0/2,1,0,1,2/0,1,2,1"},
	{"in x 1x3; i p 4 = 0 -1 0 1; Pad x p -> y mode=edge; out y", "pad 3x1x1 1,2,2/0/0"},
	{"opset 19; in x 1x3; i p 2 = 2 4; i a 1 = 1; Pad x p _ a -> y mode=wrap; out y",
	 "pad 9x1x1 1,2,0,1,2,0,1,2,0/0/0"},
	{"in x Nx2x3x4; Flatten x -> y; out y", "flatten 24x1x1"},
	{"in x Nx2x3x4; i to 3 = 0 -1 4; Reshape x to -> y; out y", "reshape 6x1x4"},
	{"in x Nx2x3x4; Shape x -> s; i z - = 0; Gather s z -> n; i u 1 = 0; Unsqueeze n u -> m; i r 1 = -1; Concat "
	 "m r -> to axis=0; Reshape x to -> y; out y",
	 "flatten 24x1x1"},
	{"in x 2x6; Shape x -> s start=1; i two 1 = 2; Div s two -> q; i one 1 = 2; Concat one two q -> to axis=0; "
	 "Reshape x to -> y; out y",
	 "reshape 2x1x3"},
	{"opset 4; in x 1x6; Reshape x -> y shape=[-1,2,3]; out y", "reshape 2x1x3"},
	{"in x Nx6x1x1; i a 2 = 2 3; Squeeze x a -> f; i b 1 = 1; Unsqueeze f b -> y; out y", "reshape 1x1x6"},
	{"opset 9; in x 1x6x1x2; Squeeze x -> f axes=[2]; Unsqueeze f -> y axes=[2,4]; out y", "reshape 6x1x2"},
	{"in x Nx2x3x4; Transpose x -> y perm=[0,2,3,1]; out y", "transpose 3x4x2 120"},
	{"in x Nx6x2x2; i a 5 = 0 2 3 2 2; Reshape x a -> r; Transpose r -> t perm=[0,2,1,3,4]; i b 4 = 0 6 2 2; "
	 "Reshape t b -> y; out y",
	 "reshape 2x3x4 | transpose 3x2x4 102 | reshape 6x2x2"},
	{"in x Nx8x2x3; DepthToSpace x -> y blocksize=2; out y",
	 "reshape 16x3x1 | transpose 3x16x1 102 | reshape 3x2x8 | transpose 2x3x8 102 | reshape 12x4x1 | transpose "
	 "4x12x1 102 | reshape 2x4x6"},
	{"in x Nx8x2x3; DepthToSpace x -> y blocksize=2 mode=CRD; out y",
	 "reshape 16x3x1 | transpose 3x16x1 102 | reshape 6x2x4 | transpose 2x6x4 102 | reshape 24x2x1 | transpose "
	 "2x24x1 102 | reshape 12x2x2 | transpose 2x12x2 102 | reshape 2x4x6"},
	{"in x Nx1x4x6; SpaceToDepth x -> y blocksize=2; out y",
	 "reshape 12x2x1 | transpose 2x12x1 102 | reshape 4x2x3 | transpose 2x4x3 102 | reshape 4x2x3"},
	{"opset 7; in x 1x1x2x2; Upsample x -> y scales=[1.0,1.0,2.0,3.0]; out y",
	 "upsample 1x4x6 0/0,0,1,1/0,0,0,1,1,1"},
	{"opset 10; in x 1x1x2x2; f s 4 = 1 1 1.5 1; Resize x s -> y; out y", "upsample 1x3x2 0/0,0,1/0,1"},
	{"in x 1x1x2x2; i to 4 = 1 1 3 5; Resize x _ _ to -> y coordinate_transformation_mode=align_corners "
	 "nearest_mode=floor; out y",
	 "upsample 1x3x5 0/0,0,1/0,0,0,0,1"},
	{"in x 1x1x1x4; f s 4 = 1 1 1 0.6; Resize x _ s -> y; out y", "upsample 1x1x2 0/0/0,2"},
	{"opset 18; in x 1x1x2x2; i to 2 = 4 4; Resize x _ _ to -> y axes=[2,3] "
	 "coordinate_transformation_mode=asymmetric nearest_mode=ceil; out y",
	 "upsample 1x4x4 0/0,1,1,1/0,1,1,1"},
	{"in x 1x2; f r - = 0.25; Dropout x r -> y; out y", "dropout 2x1x1"},
	{"in x 1x2; Identity x -> a; Identity a -> y; out y", "reshape 2x1x1"},
	{"in x 1x2 uint8; Cast x -> f to=1; Relu f -> y; out y", "relu 2x1x1"},
	{"in x 1x2; f c 1x2 = 3 4; Constant -> k value=@c; Add x k -> y; out y", "scale 2x1x1 w=1,1 b=3,4"},
	{"in x 1x2; Constant -> k value_floats=[3.0,4.0]; Constant -> one value_float=1.0; Add x k -> a; Mul a one "
	 "-> y; out y",
	 "scale 2x1x1 w=1,1 b=3,4 | scale 2x1x1 w=1,1"},
	{"in x 1x2; Constant -> n value_ints=[2]; ConstantOfShape n -> zeros; Add x zeros -> y; out y",
	 "scale 2x1x1 w=1,1 b=0,0"},
	{"in x 1x1x3x4; Shape x -> s; Constant -> b value_ints=[2]; Constant -> e value_ints=[4]; Slice s b e -> hw; "
	 "Cast hw -> f to=1; f two - = 2.0; Mul f two -> g; Floor g -> h; Cast h -> l to=7; Constant -> nc "
	 "value_ints=[1,1]; Concat nc l -> to axis=0; Resize x _ _ to -> y coordinate_transformation_mode=asymmetric "
	 "nearest_mode=floor; out y",
	 "upsample 1x6x8 0/0,0,1,1,2,2/0,0,1,1,2,2,3,3"},
	{"in x Nx2; f lo - = 2; f hi - = 1; Clip x lo hi -> y; out y", "clip 2x1x1 2..1"},
	{"in x Nx2x1x2; i s 2 = 3 1; Expand x s -> e; i t 4 = 1 2 1 2; Tile e t -> y; out y",
	 "slice 2x3x2 0,1/0,0,0/0,1 | slice 4x3x4 0,1,0,1/0,1,2/0,1,0,1"},
};

START_TEST(reads)
{
	struct mch_net net;
	struct mch_err err = {""};
	size_t n;
	uint8_t *model = onnx_text_model(cases[_i].model, &n);
	char text[2048];
	ck_assert_msg(mch_onnx_parse("net", model, n, &net, &err) == 0, "%s: %s", cases[_i].model, err.text);
	onnx_text_of(&net, text, sizeof(text));
	ck_assert_msg(strcmp(text, cases[_i].want) == 0, "%s\n got %s\nwant %s", cases[_i].model, text,
		      cases[_i].want);
	ck_assert_str_eq(net.edges[net.output].name, "y");
	mch_net_free(&net);
	free(model);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("onnx_ops");
	TCase *c = tcase_create("onnx_ops");
	tcase_add_loop_test(c, reads, 0, sizeof(cases) / sizeof(cases[0]));
	suite_add_tcase(s, c);
	return s;
}

int main(void)
{
	return check_main(suite);
}
