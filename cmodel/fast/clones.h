/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* One source, compiled once for each class of CPU; the loader picks. Integer code, or float code that adds in an
 * order of its own (lanes.h; the build does not contract x * y + z): the results are the same. Host only: no RTL
 * twin. */
#ifndef MCH_FAST_CLONES_H
#define MCH_FAST_CLONES_H

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && __GNUC__ >= 12 && \
	!defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
/* The choice runs before a sanitizer has set itself up, so those builds have the portable form alone. */
#define MCH_CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define MCH_CLONES
#endif

/* For the body that every clone specializes. */
#define MCH_INLINE static inline __attribute__((always_inline))

#endif
