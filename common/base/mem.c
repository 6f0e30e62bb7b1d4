#include "common/base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *checked(void *memory)
{
	if (!memory) {
		(void)fputs("out of memory\n", stderr);
		abort();
	}
	return memory;
}

void *mem_new(size_t bytes)
{
	return checked(calloc(1, bytes ? bytes : 1));
}

void *mem_resize(void *memory, size_t bytes)
{
	return checked(realloc(memory, bytes ? bytes : 1));
}

char *mem_text(const char *text, size_t len)
{
	char *copy = checked(malloc(len + 1));

	if (len)
		memcpy(copy, text, len);
	copy[len] = '\0';
	return copy;
}

void mem_free(void *memory)
{
	void **pointer = memory;

	free(*pointer);
	*pointer = NULL;
}

void mem_wipe(void *memory, size_t bytes)
{
	explicit_bzero(memory, bytes);
}
