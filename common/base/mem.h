/*
 * mem - allocation that ends the process when memory is exhausted.
 *
 * That is safe because every buffer fed from outside has a maximum: running
 * out is a programming error or a machine too small, and either way a restart
 * from durable state is the best that can be done.
 */
#ifndef PARLEY_BASE_MEM_H
#define PARLEY_BASE_MEM_H

#include <stddef.h>

void *mem_new(size_t bytes)
	__attribute__((malloc, returns_nonnull)); /* zeroed */
void *mem_resize(void *memory, size_t bytes) __attribute__((returns_nonnull));
char *mem_text(const char *text, size_t len)
	__attribute__((malloc, returns_nonnull)); /* copy, NUL added */
/* Frees *(void **)memory and leaves NULL; the shape CLEANUP() wants. */
void mem_free(void *memory);
/* Overwrites memory that held a secret; not optimised away. */
void mem_wipe(void *memory, size_t bytes);

#endif
