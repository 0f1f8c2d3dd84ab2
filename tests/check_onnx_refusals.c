/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* ONNX models that are no image network, or in a form that is not supported: each gets one message. */
#include "check_main.h"

#include <string.h>

#include "io/onnx_read.h"
#include "onnx_text.h"

/* A model, and the message. */
static const struct {
	const char *model, *want;
} cases[] = {
	{"in x Nx2x3x3; Loop x -> a; Erf a -> y; out y",
	 "net: not supported: Loop (a), Erf (y); replace these, or cut the network before them"},
	{"in x Nx2x3x3; f w 2x2x3x3 = ramp; Conv x w -> y speed=3; out y",
	 "net: node y (Conv): attribute \"speed\" is not supported; export the model without it"},
	{"in x Nx2x3x3; in w 2x2x3x3; Conv x w -> y; out y",
	 "net: inputs \"x\" and \"w\" have batches of different sizes; give both one"},
	{"in x Nx2x3x3x3; f w 1x2x1x1x1 = ramp; Conv x w -> y; out y",
	 "net: node y (Conv): input \"x\" has 5 dimensions, 3 to 4 are supported (batch, channels, and 1 or 2 of "
	 "space); change the model"},
	{"in x Nx2x3x3; f w 1x2x3 = ramp; Conv x w -> y; out y",
	 "net: node y (Conv): its weights \"w\" have 3 dimensions, 4 are expected; change the layer"},
	{"in x Nx2x3x3; f w 1x2x3x3 = ramp; Conv x w -> y kernel_shape=[2,2]; out y",
	 "net: node y (Conv): kernel_shape and weights differ; the file is damaged, export it again"},
	{"in x Nx2x3x3; f w 1x2x3x3 = ramp; Conv x w -> y auto_pad=OTHER; out y",
	 "net: node y (Conv): auto_pad \"OTHER\" is not known; export the model with pads"},
	{"in x Nx2x3x3; f w 1x2x3x3 = ramp; Conv x w -> y strides=[1,1,1]; out y",
	 "net: node y (Conv): strides has 3 values, 2 are expected; export the model again"},
	{"in x Nx2x3x3; f w 1x2x3x3 = ramp; f b 2 = 1 2; Conv x w b -> y; out y",
	 "net: node y (Conv): its bias \"b\" has not one value for each of 1 channels; change the model"},
	{"in x Nx2x3x3; f w 1x2x5x5 = ramp; Conv x w -> y; out y",
	 "net: node y (Conv): kernel: 5x5 (dilation 1x1) does not fit the padded input of 3x3; give a larger input"},
	{"in x Nx2x3x3; f w 3x1x1x1 = ramp; ConvTranspose x w -> y; out y",
	 "net: node y (ConvTranspose): its weights \"w\" are for 3 channels, its input has 2; export the model "
	 "again"},
	{"in x Nx2x3x3; f w 2x1x1x1 = ramp; ConvTranspose x w -> y output_shape=[9,9]; out y",
	 "net: node y (ConvTranspose): output padding: 6,6 must be at least 0 and below stride or dilation; correct "
	 "the definition"},
	{"in x Nx2x3; f w 3x2 = ramp; Gemm x w -> y; out y",
	 "net: node y (Gemm): input \"x\" has 3 dimensions, 2 are expected; put a Flatten before it"},
	{"in x Nx2; f w 2x2 = ramp; Gemm x w -> y transA=1; out y",
	 "net: node y (Gemm): transA turns the batch; change the model"},
	{"in x Nx2; f w 2x2 = ramp; f b 3 = ramp; Gemm x w b -> y; out y",
	 "net: node y (Gemm): its bias \"b\" has not one value for each of 2 channels; change the model"},
	{"in x Nx2x3; f w 2x2 = ramp; MatMul x w -> y; out y",
	 "net: node y (MatMul): its weights \"w\" have 2 rows for 3 elements; change the model"},
	{"in x Nx2x3; f w 4x3x2 = ramp; MatMul x w -> y; out y",
	 "net: node y (MatMul): its weights \"w\" are other matrices for parts that its input has not; change the "
	 "model"},
	{"in x Nx2; in w Nx2; MatMul x w -> y; out y",
	 "net: node y (MatMul): its weights \"w\" are no constant; simplify the model"},
	{"in x Nx2x3x3; MaxPool x -> y z kernel_shape=[2,2]; Add y z -> a; out a",
	 "net: node y (MaxPool): its output \"z\" is used, only the first may be; change the model"},
	{"in x Nx2x3x3; MaxPool x -> y; out y",
	 "net: node y (MaxPool): kernel_shape is missing; export the model again"},
	{"in x Nx2x3x3; ReduceMean x -> y axes=[0]; out y",
	 "net: node y (ReduceMean): it reduces the batch: images do not mix; give it the axes of one image"},
	{"in x Nx2x3x3; ReduceMean x -> y axes=[7]; out y",
	 "net: node y (ReduceMean): axis is 7, but the tensor has 4 dimensions; export the model again"},
	{"in x Nx2; f lo 2 = 2 2; Clip x lo -> y; out y",
	 "net: node y (Clip): its input \"lo\" has 2 elements, 1 is expected; change the model"},
	{"in x Nx2x3x3; f s 2x1x3 = ramp; PRelu x s -> y; out y",
	 "net: node y (PRelu): its slope \"s\" differs over dimensions that are not neighbours; change the model"},
	{"in x Nx2; Softmax x -> y axis=0; out y",
	 "net: node y (Softmax): axis is 0, the batch: images do not mix; change the model"},
	{"in x Nx2x3x3; f s 2 = 1 1; BatchNormalization x s s s s -> y training_mode=1; out y",
	 "net: node y (BatchNormalization): it is in training mode; export the model for inference"},
	{"opset 6; in x Nx2x3x3; f s 2 = 1 1; BatchNormalization x s s s s -> y; out y",
	 "net: node y (BatchNormalization): it is in training mode; export the model for inference"},
	{"opset 7; in x Nx2x3x3; f s 2 = 1 1; BatchNormalization x s s s s -> y spatial=0; out y",
	 "net: node y (BatchNormalization): spatial is 0, a mean for each pixel; export the model again"},
	{"in x Nx2x3x3; f s 3 = 1 1 1; BatchNormalization x s s s s -> y; out y",
	 "net: node y (BatchNormalization): its input \"s\" has 3 values for 2 channels; export the model again"},
	{"in x Nx2 int32; in z Nx2; Add x z -> y; out y",
	 "net: node y (Add): input \"x\" is of type int32, the arithmetic of integers is not supported; put a Cast "
	 "before it"},
	{"in x Nx2; in z Nx2x2; Add x z -> y; out y",
	 "net: node y (Add): input \"x\" has 2 dimensions, another 3: the batch does not line up; change the model"},
	{"in x Nx2; in z Nx3; Add x z -> y; out y", "net: node y (Add): inputs of 2 and 3 elements along one "
						    "dimension do not fit each other; export the model again"},
	{"in x Nx2; f c 2x2 = ramp; Add x c -> y; out y",
	 "net: node y (Add): its constant input \"c\" has one part for each image of a batch; change the model"},
	{"in x Nx2; in z Nx2; Div x z -> y; out y",
	 "net: node y (Div): it divides by \"z\", which is no constant; change the model"},
	{"in x Nx2; f c 2 = 1 0; Div x c -> y; out y",
	 "net: node y (Div): it divides by a constant that holds 0; correct the model"},
	{"in x Nx2x3x4x5; in z Nx1x3x1x5; in u Nx2x1x4x1; Sum x z u -> y; out y",
	 "net: node y (Sum): its inputs repeat over 4 separate runs of dimensions, at most 3 are supported; change "
	 "the model"},
	{"in x 1x2x3x3; in z 1x2x2x3; Concat x z -> y axis=1; out y",
	 "net: node y (Concat): input \"z\" does not fit \"x\" beside the axis; change the model"},
	{"in x 2x2; Concat x x -> y axis=0; out y",
	 "net: node y (Concat): axis is 0, the batch: images do not mix; change the model"},
	{"in x 1x5; Split x -> a b axis=1 split=[2,2]; Concat a b -> y axis=1; out y",
	 "net: node a (Split): its 2 parts do not make up the 5 elements of the axis; export the model again"},
	{"in x 1x4; Slice x -> y starts=[1] ends=[2,3]; out y",
	 "net: node y (Slice): starts, ends, axes and steps are of different lengths; export the model again"},
	{"in x 4x4; Slice x -> y starts=[1] ends=[2]; out y",
	 "net: node y (Slice): it cuts the batch; change the model"},
	{"in x 1x4; i s 1 = 0; i a 1 = 1; i z 1 = 0; Slice x s s a z -> y; out y",
	 "net: node y (Slice): its step is 0; export the model again"},
	{"in x 1x4; Slice x -> y starts=[2] ends=[2] axes=[1]; out y",
	 "net: node y (Slice): dimension 1 of its output would have 0 elements, 1 to 16777216 are supported; change "
	 "the model"},
	{"in x 1x4; i n 1 = 4; Gather x n -> y axis=1; out y",
	 "net: node y (Gather): index 4 is outside of 4 elements; export the model again"},
	{"in x 1x4; in n 1x1 int64; Gather x n -> y axis=1; out y",
	 "net: node y (Gather): its input \"n\" is no constant; simplify the model"},
	{"in x 1x4; Pad x -> y pads=[0,0,1]; out y",
	 "net: node y (Pad): 3 pads for 2 dimensions, two for each are expected; export the model again"},
	{"in x 1x4; Pad x -> y pads=[1,0,0,0]; out y", "net: node y (Pad): it pads the batch; change the model"},
	{"in x 1x4; Pad x -> y mode=other pads=[0,1,0,0]; out y",
	 "net: node y (Pad): mode \"other\" is not known; change the layer"},
	{"in x 1x4; Pad x -> y pads=[0,-4,0,0]; out y", "net: node y (Pad): dimension 1 of its output would have 0 "
							"elements, 1 to 16777216 are supported; change the model"},
	{"in x Nx2x3; Flatten x -> y axis=2; out y",
	 "net: node y (Flatten): axis is 2, only 1 is supported: images do not mix; change the layer"},
	{"in x Nx2x3; i to 2 = 6 -1; Reshape x to -> y; out y",
	 "net: node y (Reshape): the shape [6, -1] does not keep the batch as its first dimension; change the model"},
	{"in x Nx2x3; i to 3 = 0 4 -1; Reshape x to -> y; out y",
	 "net: node y (Reshape): the shape [0, 4, -1] does not keep the number of elements; change the model"},
	{"in x Nx2x3; in to 3 int64; Reshape x to -> y; out y",
	 "net: inputs \"x\" and \"to\" have batches of different sizes; give both one"},
	{"in x 1x2x3; Squeeze x -> y axes=[0]; out y",
	 "net: node y (Squeeze): it takes the batch away; export the model with one"},
	{"in x 1x2x3; Squeeze x -> y axes=[1]; out y",
	 "net: node y (Squeeze): dimension 1 has 2 elements, 1 is expected; export the model again"},
	{"in x 1x2x3; Unsqueeze x -> y axes=[0]; out y",
	 "net: node y (Unsqueeze): axis 0 is before the batch; change the model"},
	{"in x 1x2x3; Transpose x -> y; out y", "net: node y (Transpose): it moves the batch; change the model"},
	{"in x 1x2x3; Transpose x -> y perm=[0,1,1]; out y",
	 "net: node y (Transpose): perm is no order of its 3 dimensions; export the model again"},
	{"in x 1x3x2x2; DepthToSpace x -> y blocksize=2; out y",
	 "net: node y (DepthToSpace): blocksize 2 does not divide its input; export the model again"},
	{"in x 1x1x2x2; f s 4 = 1 1 2 2; Resize x _ s -> y mode=linear; out y",
	 "net: node y (Resize): mode \"linear\" is not supported, only \"nearest\" is; change the layer"},
	{"in x 1x1x2x2; f s 4 = 1 1 2 2; Resize x _ s -> y coordinate_transformation_mode=tf_crop_and_resize; out y",
	 "net: node y (Resize): the form tf_crop_and_resize, round_prefer_floor, stretch is not supported; change "
	 "the layer"},
	{"in x 1x1x2x2; f s 4 = 1 1 0 2; Resize x _ s -> y; out y",
	 "net: node y (Resize): a scale of 0 is out of range; change the layer"},
	{"in x 1x1x2x2; f s 4 = 2 1 1 2; Resize x _ s -> y; out y",
	 "net: node y (Resize): it resizes the batch; change the model"},
	{"in x 1x2; i t 1 = 1; f r - = 0.5; Dropout x r t -> y; out y",
	 "net: node y (Dropout): it is in training mode; export the model for inference"},
	{"in x 1x2; Cast x -> y to=7; out y",
	 "net: node y (Cast): it casts to int64, only float, float16 and double are supported; simplify the model"},
	{"in x Nx2; Shape x -> s; i two 1 = 2; Mul s two -> to; Reshape x to -> y; out y",
	 "net: node to (Mul): it computes with the open batch, or beyond 64 bits; export the model with a fixed "
	 "batch"},
	{"in x Nx2; Floor x -> y; out y",
	 "net: node y (Floor): it is supported among constants only; change the model"},
	{"in x Nx2; Constant -> c value=text; Add x c -> y; out y",
	 "net: node c (Constant): only a constant with one tensor, or of numbers, is supported; simplify the model"},
	{"in x Nx2; Shape x -> y; out y",
	 "net: output \"y\" is a constant, which no input changes; take it from another node"},
	{"in x Nx2x0; Relu x -> y; out y", "net: input \"x\": dimension 2 is open or out of range, only the batch "
					   "may be; export the model with a fixed size"},
	{"in x Nx2 string; Relu x -> y; out y",
	 "net: input \"x\" is of type string, numbers are expected; change the model"},
	{"in x Nx2 float; in z 4x2; Add x z -> y; out y",
	 "net: inputs \"x\" and \"z\" have batches of different sizes; give both one"},
	{"in x Nx2x1x1x1x1x1x1x1; Relu x -> y; out y",
	 "net: input \"x\" has no shape, or none of 1 to 8 dimensions; export the model with one"},
	{"in x Nx2; Relu x -> a; Relu x -> b; out a; out b",
	 "net: has 2 outputs, one is expected; cut the others off"},
	{"opset 0; in x Nx2; Relu x -> y; out y",
	 "net: operator set 0, 1 or newer is expected; export the model again"},
	{"f x 1x2 = 1 2; Relu x -> y; out y", "net: has no input; export the model again"},
	{"in x Nx2; Relu z -> y; out y",
	 "net: node y (Relu): input \"z\" is computed by no earlier node; export the model again"},
	{"in x Nx2; Relu x x -> y; out y",
	 "net: node y (Relu): 2 inputs and 1 outputs are not supported; export the model again"},
	{"in x 2x2; i t 2 = 2 1; Tile x t -> y; out y", "net: node y (Tile): it repeats the batch; change the model"},
	{"in x Nx2; i t 2 = 1 3; Expand x t -> y; out y",
	 "net: node y (Expand): 2 elements do not become 3; export the model again"},
	/* 256 MiB each, before any of it is touched, and the copies of n. */
	{"in x Nx2; i n 3 = 4096 4096 4; ConstantOfShape n -> a; ConstantOfShape n -> b; ConstantOfShape n -> c; "
	 "ConstantOfShape n -> d; Add x d -> y; out y",
	 "net: node d (ConstantOfShape): constants and indexes up to here take over 1024 MiB beside the file; "
	 "simplify "
	 "the model"},
};

START_TEST(refuses)
{
	struct mch_net net;
	struct mch_err err = {""};
	size_t n;
	uint8_t *model = onnx_text_model(cases[_i].model, &n);
	ck_assert_msg(mch_onnx_parse("net", model, n, &net, &err) == -1, "%s", cases[_i].model);
	ck_assert_str_eq(err.text, cases[_i].want);
	ck_assert_ptr_null(net.layers);
	free(model);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("onnx_refusals");
	TCase *c = tcase_create("onnx_refusals");
	tcase_add_loop_test(c, refuses, 0, sizeof(cases) / sizeof(cases[0]));
	suite_add_tcase(s, c);
	return s;
}

int main(void)
{
	return check_main(suite);
}
