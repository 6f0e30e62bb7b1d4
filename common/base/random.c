#include "common/base/random.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

void random_bytes(void *ret_bytes, size_t len)
{
	unsigned char *at = ret_bytes;

	while (len) {
		ssize_t got = getrandom(at, len, 0);

		if (got < 0) {
			perror("getrandom");
			abort();
		}
		at += got;
		len -= (size_t)got;
	}
}

uint64_t random_u64(void)
{
	uint64_t number;

	random_bytes(&number, sizeof(number));
	return number;
}

uint64_t backoff_ms(unsigned attempt, uint64_t base_ms, uint64_t max_ms)
{
	uint64_t ceiling = attempt < 20 ? base_ms << attempt : max_ms;

	if (ceiling > max_ms)
		ceiling = max_ms;
	return random_u64() % (ceiling + 1);
}
