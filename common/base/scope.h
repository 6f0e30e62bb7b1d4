/*
 * scope - clean-up at the end of a scope, and compiler attributes.
 *
 * CLEANUP(f) calls f(&variable) when the variable leaves its scope; every
 * x_destroy(struct x **) fits. MOVE(p) yields p and sets p to NULL: a
 * constructor that returns MOVE(object) needs no clean-up code of its own.
 */
#ifndef PARLEY_BASE_SCOPE_H
#define PARLEY_BASE_SCOPE_H

#include <stddef.h>

#define CLEANUP(function) __attribute__((cleanup(function)))
#define MUST_CHECK        __attribute__((warn_unused_result))
#define PRINTF(text, arg) __attribute__((format(printf, text, arg)))

#define MOVE(pointer) \
	__extension__({ \
		__typeof__(&(pointer)) from_ = &(pointer); \
		__typeof__(pointer) moved_ = *from_; \
		*from_ = NULL; \
		moved_; \
	})

/* The struct whose `member` the pointer points at. */
#define CONTAINER_OF(pointer, type, member) \
	((type *)(void *)((char *)(pointer)-offsetof(type, member)))

#define ARRAY_LEN(array) (sizeof(array) / sizeof((array)[0]))

#endif
