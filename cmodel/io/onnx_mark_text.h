/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* The parameters of a mark as text, both ways; see onnx_mark.h. Host only: no RTL twin. */
#ifndef MCH_IO_ONNX_MARK_TEXT_H
#define MCH_IO_ONNX_MARK_TEXT_H

#include "io/onnx_mark.h"

/* "in=0 rank=4 kind=lrn ..." of layer e->layer; names: the values that its group reads. The caller frees it; NULL
 * when memory is short. */
char *mch_onnx_mark_text(const struct mch_emit *e, int n_names, const char *const *names);

/* Reads kind and rank of mark->text. 0, or -1 when it is no mark of ours. */
int mch_onnx_mark_kind(struct mch_onnx_mark *mark);

#endif
