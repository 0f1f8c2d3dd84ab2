# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Macchiato authors
# shellcheck shell=sh
# Sourced: a small network and small labelled images, for the tests of train and eval that need no data set.
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
	# Input pixels are 0 to 255 here; a net without input_scale sees them as they are.
	make_images train 400 1
	make_images t10k 100 2
}
