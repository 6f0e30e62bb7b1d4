/*
 * random - random bytes from the kernel, and randomised backoff.
 */
#ifndef PARLEY_BASE_RANDOM_H
#define PARLEY_BASE_RANDOM_H

#include <stddef.h>
#include <stdint.h>

void random_bytes(void *ret_bytes, size_t len);
uint64_t random_u64(void);

/*
 * The wait before try number `attempt` (from 0): uniform between 0 and
 * base_ms * 2^attempt, at most max_ms. This is "full jitter":
 * https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
 */
uint64_t backoff_ms(unsigned attempt, uint64_t base_ms, uint64_t max_ms);

#endif
