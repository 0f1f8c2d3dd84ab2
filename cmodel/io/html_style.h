/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* The style of a report's page: one palette for light, dark and paper. Host only: no RTL twin. */
#ifndef MCH_IO_HTML_STYLE_H
#define MCH_IO_HTML_STYLE_H

extern const char mch_html_style[];

#endif
