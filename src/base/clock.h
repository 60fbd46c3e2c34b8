/* SPDX-License-Identifier: BSD-2-Clause */
/* Clocks: the monotonic one for every timer, the wall clock for logs and challenges only. */
#pragma once
#include <stdint.h>

/* Milliseconds since some fixed moment; never goes back. */
uint64_t clock_ms(void);

/* The same in microseconds, for measuring. */
uint64_t clock_us(void);

/* Seconds since 1970. */
uint64_t clock_wall(void);
