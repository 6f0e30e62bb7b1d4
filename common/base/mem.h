/*
 * mem - allocation that ends the process when memory is exhausted.
 *
 * Every buffer that takes outside data has a maximum, so exhaustion means a
 * bug or a machine that is too small. In both cases a restart from durable
 * state is the best recovery.
 */
#ifndef PARLEY_BASE_MEM_H
#define PARLEY_BASE_MEM_H

#include <stddef.h>

void *mem_new(size_t bytes)
	__attribute__((malloc, returns_nonnull)); /* zeroed */
void *mem_resize(void *memory, size_t bytes) __attribute__((returns_nonnull));
char *mem_text(const char *text, size_t len)
	__attribute__((malloc, returns_nonnull)); /* a copy with a NUL added */
/* Frees *(void **)memory and sets it to NULL; fits CLEANUP(). */
void mem_free(void *memory);
/* Overwrites a secret; the compiler does not optimise it away. */
void mem_wipe(void *memory, size_t bytes);

#endif
