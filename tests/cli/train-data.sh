# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Macchiato authors
# shellcheck shell=sh
# Sourced: two small networks, one path and a graph, and small labelled images, for the tests of train and eval that need no data set.
# Images of 12x12: noise that the label's row of three rises above.

# images SPLIT COUNT SEED: SPLIT-images-idx3-ubyte and SPLIT-labels-idx1-ubyte in the folder data.
make_images() {
	mkdir -p data
	awk -v n="$2" -v seed="$3" 'BEGIN {
		printf "%c%c%c%c%c%c%c%c%c%c%c%c%c%c%c%c", 0, 0, 8, 3, 0, 0, int(n / 256), n % 256, 0, 0, 0, 12, 0, 0, 0, 12
		x = seed
		for (i = 0; i < n; i++)
			for (p = 0; p < 144; p++) {
				x = (x * 1103 + 12345) % 65536
				printf "%c", 1 + int(x / 512) + (int(p / 36) == i % 4 ? 90 : 0)
			}
	}' >"data/$1-images-idx3-ubyte"
	awk -v n="$2" 'BEGIN {
		printf "%c%c%c%c%c%c%c%c", 0, 0, 8, 1, 0, 0, int(n / 256), n % 256
		for (i = 0; i < n; i++)
			printf "%c", i % 4
	}' >"data/$1-labels-idx1-ubyte"
}

make_net() {
	cat >net.prototxt <<END
name: "small"
input: "data" input_shape { dim: [1, 1, 12, 12] }
layer { name: "conv" type: "Convolution" bottom: "data" top: "conv" convolution_param { num_output: 6 kernel_size: 3 } }
layer { name: "pool" type: "Pooling" bottom: "conv" top: "pool" pooling_param { pool: MAX kernel_size: 2 stride: 2 } }
layer { name: "fc1" type: "InnerProduct" bottom: "pool" top: "fc1" inner_product_param { num_output: 16 } }
layer { name: "relu" type: "ReLU" bottom: "fc1" top: "fc1" }
layer { name: "fc2" type: "InnerProduct" bottom: "fc1" top: "fc2" inner_product_param { num_output: 4 } }
layer { name: "prob" type: "Softmax" bottom: "fc2" top: "prob" }
END
	cat >graph.prototxt <<END
name: "graph"
input: "data" input_shape { dim: [1, 1, 12, 12] }
layer { name: "conv" type: "Convolution" bottom: "data" top: "conv"
  convolution_param { num_output: 6 kernel_size: 3 stride: 2 pad: 1 bias_term: false } }
layer { name: "conv/bn" type: "BatchNorm" bottom: "conv" top: "conv" }
layer { name: "conv/scale" type: "Scale" bottom: "conv" top: "conv" scale_param { bias_term: true } }
layer { name: "conv/relu" type: "ReLU" bottom: "conv" top: "conv" }
layer { name: "dw" type: "Convolution" bottom: "conv" top: "dw"
  convolution_param { num_output: 6 group: 6 kernel_size: 3 pad: 1 bias_term: false } }
layer { name: "dw/bn" type: "BatchNorm" bottom: "dw" top: "dw" }
layer { name: "dw/scale" type: "Scale" bottom: "dw" top: "dw" scale_param { bias_term: true } }
layer { name: "sum" type: "Eltwise" bottom: "conv" bottom: "dw" top: "sum" eltwise_param { operation: SUM } }
layer { name: "drop" type: "Dropout" bottom: "sum" top: "sum" dropout_param { dropout_ratio: 0.2 } }
layer { name: "fc" type: "InnerProduct" bottom: "sum" top: "fc" inner_product_param { num_output: 4 } }
layer { name: "prob" type: "Softmax" bottom: "fc" top: "prob" }
END
	# Input pixels are 0 to 255 here; a net without input_scale sees them as they are.
	make_images train 400 1
	make_images t10k 100 2
}

# end_early SIGNAL FILE ARGUMENT...: starts macchiato ARGUMENT..., which writes FILE, and sends the signal when its first checkpoint is
# there. Small runs take milliseconds: one that was over before that is started anew. The exit status goes to $status,
# messages to FILE.err. The program is the shell's own child: a signal to a function would end the shell that runs it.
end_early() {
	signal=$1 file=$2
	shift 2
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		rm -f "$file" "$file.ckpt"
		"$macchiato" "$@" 2>"$file.err" >"$file.out" &
		pid=$!
		while [ ! -e "$file.ckpt" ] && kill -0 $pid 2>kill.txt; do
			sleep 0.001
		done
		kill "-$signal" $pid 2>kill.txt || true
		status=0
		wait $pid || status=$?
		[ "$status" = 0 ] || return 0
	done
	fail "$signal: ten runs were over before they could be stopped"
}
