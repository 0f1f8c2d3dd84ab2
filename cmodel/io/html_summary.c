/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* The top of a report's page: what was reached, on what, and what it costs. Host only: no RTL twin. */
#include <math.h>
#include <stdarg.h>
#include <string.h>

#include "io/html.h"
#include "io/html_part.h"

/* "12.3 KiB" of a number of bits. */
static const char *memory_text(double bits, char buf[32])
{
	static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
	double bytes = ceil(bits / 8);
	int unit = 0;
	while (bytes >= 1024 && unit < 4) {
		bytes /= 1024;
		unit++;
	}
	snprintf(buf, 32, "%.*f %s", unit == 0 || bytes >= 100 ? 0 : bytes >= 10 ? 1 : 2, bytes, units[unit]);
	return buf;
}

static const json_t *size_of(const json_t *report, size_t i)
{
	return json_array_get(json_object_get(report, "sizes"), i);
}

static void tile(FILE *to, const char *class, const char *value, const char *text)
{
	fprintf(to, "<div class=\"tile%s\"><b>", class);
	mch_html_text(to, value);
	fputs("</b><span>", to);
	mch_html_text(to, text);
	fputs("</span></div>\n", to);
}

/* The accuracy to show: of images that chose nothing, where there are such; else as measured for the page; else as
 * told. */
struct shown {
	double images, exact, low, high, real; /* percent; NAN: not known */
	const char *which;
};

static struct shown shown_accuracy(const json_t *report)
{
	const json_t *search = mch_json_part(report, "search"), *reporting = mch_json_part(search, "reporting");
	const json_t *check = mch_json_part(report, "check"), *accuracy = json_object_get(report, "accuracy");
	const json_t *from = check ? check : accuracy, *exact = mch_json_part(from, "exact");
	const json_t *interval = json_object_get(reporting, "interval_95");
	if (reporting && json_is_true(json_object_get(search, "held_out")))
		return (struct shown){mch_json_real(reporting, "images"),
				      mch_json_real(reporting, "accuracy"),
				      json_number_value(json_array_get(interval, 0)),
				      json_number_value(json_array_get(interval, 1)),
				      mch_json_real(reporting, "float_accuracy"),
				      "images held out"};
	return (struct shown){mch_json_real(from, "images"),
			      mch_json_real(exact, "percent"),
			      mch_json_real(exact, "low"),
			      mch_json_real(exact, "high"),
			      mch_json_real(mch_json_part(from, "float"), "percent"),
			      "images"};
}

static void accuracy_tiles(FILE *to, const json_t *report)
{
	const struct shown shown = shown_accuracy(report);
	const double margin = mch_json_real(json_object_get(report, "accuracy"), "error_margin");
	const double change = shown.exact - shown.real;
	/* As the search counts: whole answers, with room for margins that are no binary fraction. */
	const bool is_kept = !(-change > margin + 1e-6);
	char value[64], text[160];
	if (!isfinite(change)) {
		tile(to, "", "–", "accuracy: not in the file of formats; give --data to measure it");
		return;
	}
	snprintf(value, sizeof(value), "%.2f %%", shown.exact);
	snprintf(text, sizeof(text), "top-1 on exact integers, %.0f %s; 95 %% interval %.2f to %.2f", shown.images,
		 shown.which, shown.low, shown.high);
	tile(to, "", value, text);
	snprintf(value, sizeof(value), "%+.2f points", change);
	if (isfinite(margin))
		snprintf(text, sizeof(text),
			 "against float, %.2f %%; the margin of %g point%s is %s on these images", shown.real,
			 margin, margin == 1 ? "" : "s", is_kept ? "kept" : "missed");
	else
		snprintf(text, sizeof(text), "against float, %.2f %%; no margin was asked for", shown.real);
	tile(to, !isfinite(margin) ? "" : is_kept ? " good" : " warn", value, text);
}

static void tiles(FILE *to, const json_t *report)
{
	const json_t *weights = size_of(report, 0), *work = json_object_get(report, "work");
	const double before = mch_json_real(weights, "float_bits"), after = mch_json_real(weights, "bits");
	char value[64], text[160], buf[2][32];
	fputs("<div class=\"tiles\">\n", to);
	accuracy_tiles(to, report);
	snprintf(text, sizeof(text), "weights, from %s in 32-bit float: %.2g times smaller",
		 memory_text(before, buf[1]), after > 0 ? before / after : 1);
	tile(to, "", memory_text(after, buf[0]), text);
	snprintf(value, sizeof(value), "%.0f bits", mch_json_real(work, "widest_accumulator"));
	tile(to, "", value, "the widest accumulator");
	fputs("</div>\n", to);
}

static void pair(FILE *to, const char *name, const char *class, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

static void pair(FILE *to, const char *name, const char *class, const char *format, ...)
{
	char text[1024];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	fputs("\n<tr><th scope=\"row\" class=\"text\">", to);
	mch_html_text(to, name);
	fprintf(to, "</th><td class=\"%s\">", class);
	mch_html_text(to, text);
	fputs("</td></tr>", to);
}

static void put_hosts(FILE *to, const json_t *report)
{
	const json_t *list = json_object_get(report, "host_layers"), *layer;
	size_t i;
	fputs("\n<tr><th scope=\"row\" class=\"text\">host</th><td class=\"text\">", to);
	json_array_foreach(list, i, layer) mch_html_print(
		to, "%s%s (%s)", i ? ", " : "", mch_json_text(layer, "name"), mch_json_text(layer, "kind"));
	mch_html_text(to, json_array_size(list) ? ": computed by the host in float, not in the RTL"
						: "nothing: the hardware has every layer, but for a softmax at the "
						  "end, which no answer needs");
	fputs("</td></tr>", to);
}

/* Of the parts that the network has. */
static void put_widths(FILE *to, const json_t *widths)
{
	static const char *const parts[][2] = {{"conv_weights", "conv weights"},
					       {"fc_weights", "FC weights"},
					       {"activations", "tensors"}};
	char text[128] = "";
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		const double bits = mch_json_real(widths, parts[i][0]);
		const size_t n = strlen(text);
		if (bits > 0)
			snprintf(text + n, sizeof(text) - n, "%s%.0f-bit %s", n ? ", " : "", bits, parts[i][1]);
	}
	pair(to, "widest operands", "text", "%s", text);
}

static void identity(FILE *to, const json_t *report)
{
	const json_t *search = mch_json_part(report, "search");
	fputs("<div class=\"scroll\"><table><tbody>", to);
	pair(to, "network", "text", "%s, file %s", mch_json_text(report, "network"),
	     mch_json_text(report, "net_file"));
	pair(to, "network hash", "hash", "%s", mch_json_text(report, "net_hash"));
	pair(to, "formats", "text", "%s", mch_json_text(report, "quant_file"));
	pair(to, "SHA-256 of formats", "hash", "%s", mch_json_text(report, "quant_hash"));
	put_widths(to, json_object_get(report, "widths"));
	pair(to, "rounding", "text", "%s", mch_json_text(report, "round"));
	if (*mch_json_text(search, "formats"))
		pair(to, "choice of formats", "text", "%s", mch_json_text(search, "formats"));
	put_hosts(to, report);
	fputs("\n</tbody></table></div>\n", to);
}

static void accuracy_row(FILE *to, const char *name, const json_t *share, double images)
{
	if (!share)
		return;
	mch_html_row(to);
	mch_html_cell(to, "text", "%s", name);
	mch_html_cell(to, NULL, "%.2f %%", mch_json_real(share, "percent"));
	mch_html_cell(to, NULL, "%.2f to %.2f %%", mch_json_real(share, "low"), mch_json_real(share, "high"));
	mch_html_cell(to, NULL, "%.0f of %.0f", mch_json_real(share, "right"), images);
	mch_html_row_end(to);
}

static void put_check(FILE *to, const json_t *report)
{
	const json_t *check = mch_json_part(report, "check");
	const json_t *reporting = mch_json_part(mch_json_part(report, "search"), "reporting");
	const json_t *as_told = mch_json_part(check, "is_as_told");
	const double images = mch_json_real(check, "images"), sqnr = mch_json_real(check, "sqnr_db");
	if (!check) {
		if (isfinite(mch_json_real(reporting, "agreement"))) {
			fputs("<p>", to);
			mch_html_print(to, "From the file of formats: %.2f %% of the answers are those of float",
				       mch_json_real(reporting, "agreement"));
			if (isfinite(mch_json_real(reporting, "sqnr_db")))
				mch_html_print(to, "; outputs before any softmax: %.1f dB signal-to-noise ratio",
					       mch_json_real(reporting, "sqnr_db"));
			fputs(".</p>\n", to);
		}
		mch_html_absent(to, "Not scored again for this page: --data=PATH confirms the accuracy, the top-1 "
				    "agreement with float and the "
				    "signal-to-noise ratio of the outputs.");
		return;
	}
	accuracy_row(to, "float, measured for this page", mch_json_part(check, "float"), images);
	accuracy_row(to, "exact integers, measured for this page", mch_json_part(check, "exact"), images);
	accuracy_row(to, "float, top-5", mch_json_part(check, "float_top5"), images);
	accuracy_row(to, "exact integers, top-5", mch_json_part(check, "exact_top5"), images);
	accuracy_row(to, "the same answer from both", mch_json_part(check, "agreement"), images);
	mch_html_table_end(to, NULL);
	fputs("<p>", to);
	mch_html_print(to, "Measured on %s. ", mch_json_text(check, "data"));
	if (isfinite(sqnr))
		mch_html_print(to, "Outputs before any softmax: %.1f dB signal-to-noise ratio against float. ",
			       sqnr);
	mch_html_text(to, !as_told                ? "The file of formats was scored on another number of images."
			  : json_is_true(as_told) ? "As many right answers as the file of formats tells: confirmed."
						  : "Not as many right answers as the file of formats tells.");
	const json_t *is_same = mch_json_part(check, "is_same_images");
	if (is_same)
		mch_html_text(to, json_is_true(is_same) ? " The images are those of the search, by their SHA-256."
							: " The images are not those of the search.");
	fputs("</p>\n", to);
}

/* What the file of formats tells: of images that report alone, and of those that chose. */
static void told_rows(FILE *to, const json_t *report)
{
	static const char *const rows[][3] = {{"float", "float_right", "float_interval_95"},
					      {"exact integers", "right", "interval_95"}};
	const json_t *accuracy = json_object_get(report, "accuracy"), *search = mch_json_part(report, "search");
	const json_t *reporting = mch_json_part(search, "reporting");
	const bool is_held_out = reporting && json_is_true(json_object_get(search, "held_out"));
	const double images = mch_json_real(accuracy, "images");
	char name[64];
	for (int i = 0; i < 2 && is_held_out && mch_json_real(reporting, "images") > 0; i++) {
		const json_t *interval = json_object_get(reporting, rows[i][2]);
		const double n = mch_json_real(reporting, "images"), right = mch_json_real(reporting, rows[i][1]);
		snprintf(name, sizeof(name), "%s, on the images held out", rows[i][0]);
		mch_html_row(to);
		mch_html_cell(to, "text", "%s", name);
		mch_html_cell(to, NULL, "%.2f %%", 100 * right / n);
		mch_html_cell(to, NULL, "%.2f to %.2f %%", json_number_value(json_array_get(interval, 0)),
			      json_number_value(json_array_get(interval, 1)));
		mch_html_cell(to, NULL, "%.0f of %.0f", right, n);
		mch_html_row_end(to);
	}
	const char *which = is_held_out ? "on the images that chose" : "from the file of formats";
	snprintf(name, sizeof(name), "float, %s", which);
	accuracy_row(to, name, mch_json_part(accuracy, "float"), images);
	snprintf(name, sizeof(name), "exact integers, %s", which);
	accuracy_row(to, name, mch_json_part(accuracy, "exact"), images);
}

static void accuracy_table(FILE *to, const json_t *report)
{
	const bool is_told = mch_json_part(json_object_get(report, "accuracy"), "exact") != NULL;
	const bool is_checked = mch_json_part(report, "check") != NULL;
	fputs("<h3>Accuracy</h3>\n", to);
	if (is_told || is_checked)
		mch_html_table(to, NULL, "<top-1|share|95 % interval|images");
	told_rows(to, report);
	if (is_told && !is_checked)
		mch_html_table_end(to, NULL);
	if (!is_told && !is_checked)
		mch_html_absent(to, "The file of formats tells of no accuracy: its formats come from elsewhere.");
	put_check(to, report);
}

/* Which images did what. */
static void images_table(FILE *to, const json_t *report)
{
	const json_t *search = mch_json_part(report, "search"), *ranges = mch_json_part(report, "ranges");
	const json_t *choosing = mch_json_part(search, "choosing"), *reporting = mch_json_part(search, "reporting");
	const json_t *tuning = mch_json_part(search, "tuning");
	const bool is_held_out = json_is_true(json_object_get(search, "held_out"));
	fputs("<h3>Images</h3>\n<div class=\"scroll\"><table><tbody>", to);
	if (search && isfinite(mch_json_real(search, "range_images")))
		pair(to, "behind the formats", "text", "%.0f", mch_json_real(search, "range_images"));
	if (choosing)
		pair(to, "chose the widths", "text", "%.0f", mch_json_real(choosing, "images"));
	if (tuning) {
		pair(to, "tuned on", "text", "%.0f", mch_json_real(tuning, "train_images"));
		pair(to, "training images that chose the epoch", "text", "%.0f",
		     mch_json_real(tuning, "held_out_images"));
		pair(to, "report alone", "text", "%.0f", mch_json_real(tuning, "images"));
	}
	if (is_held_out)
		pair(to, "held out, report alone", "text", "%.0f", mch_json_real(reporting, "images"));
	if (*mch_json_text(search, "range_images_hash"))
		pair(to, "SHA-256 of those behind the formats", "hash", "%s",
		     mch_json_text(search, "range_images_hash"));
	if (*mch_json_text(search, "scored_images_hash"))
		pair(to, "SHA-256 of those scored in the search", "hash", "%s",
		     mch_json_text(search, "scored_images_hash"));
	if (ranges)
		pair(to, "ranges on this page", "text", "%.0f images of %s", mch_json_real(ranges, "images"),
		     mch_json_text(ranges, "data"));
	else
		pair(to, "ranges on this page", "text",
		     "of weights alone; give --data=PATH or --train-data=PATH for the tensors'");
	fputs("\n</tbody></table></div>\n", to);
	if (!is_held_out && !tuning)
		mch_html_absent(to, "No images were held out: those that chose the widths also report the "
				    "accuracy, which flatters "
				    "it a little.");
}

static void sizes_table(FILE *to, const json_t *report)
{
	const json_t *work = json_object_get(report, "work"), *size;
	char buf[2][32];
	size_t i;
	fputs("<h3>Sizes</h3>\n", to);
	mch_html_table(to, NULL, "<what|values|in 32-bit float, bits|quantized, bits|quantized|smaller");
	json_array_foreach(json_object_get(report, "sizes"), i, size)
	{
		const double before = mch_json_real(size, "float_bits"), after = mch_json_real(size, "bits");
		mch_html_row(to);
		mch_html_cell(to, "text", "%s", mch_json_text(size, "what"));
		mch_html_cell(to, NULL, "%.0f", mch_json_real(size, "values"));
		mch_html_cell(to, NULL, "%.0f", before);
		mch_html_cell(to, NULL, "%.0f", after);
		mch_html_cell(to, NULL, "%s", memory_text(after, buf[0]));
		mch_html_cell(to, NULL, after > 0 ? "%.2f times" : "–", before / after);
		mch_html_row_end(to);
	}
	mch_html_table_end(to, NULL);
	fputs("<p>", to);
	mch_html_print(to,
		       "Tensors are those of one image. One image takes %s multiplications, %s bit operations "
		       "(multiplications "
		       "times the widths of both operands).",
		       mch_si_text(mch_json_real(work, "macs"), buf[0]),
		       mch_si_text(mch_json_real(work, "bit_ops"), buf[1]));
	fputs("</p>\n", to);
}

void mch_html_summary(FILE *to, const json_t *report)
{
	static const char *const places[][2] = {
		{"summary", "Summary"},  {"bits", "Bits"},     {"search", "Search"}, {"front", "Cost"},
		{"tune", "Fine-tuning"}, {"layers", "Layers"}, {"terms", "Terms"}};
	fputs("<h1>", to);
	mch_html_text(to, mch_json_text(report, "network"));
	fputs(": quantization report</h1>\n<p class=\"lead\">", to);
	mch_html_print(to, "%s with the formats of %s", mch_json_text(report, "net_file"),
		       mch_json_text(report, "quant_file"));
	fputs("</p>\n<nav>", to);
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
		fprintf(to, "<a href=\"#%s\">%s</a>\n", places[i][0], places[i][1]);
	fputs("</nav>\n", to);
	tiles(to, report);
	mch_html_section(to, "summary", "Summary");
	identity(to, report);
	accuracy_table(to, report);
	images_table(to, report);
	sizes_table(to, report);
	mch_html_section_end(to);
}
