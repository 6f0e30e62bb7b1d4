/*
 * name - the rules for names of users, groups and channels.
 *
 * A name is in Normalization Form C and then has 1 to 64 code points, at least
 * one of them visible. Refused are control characters (also those of text
 * direction), unassigned and private-use code points, white space at either
 * end, and ignorable characters, save joiners between letters that join and the
 * parts of an emoji sequence. docs/protocol/rest.md
 */
#ifndef PARLEY_WIRE_NAME_H
#define PARLEY_WIRE_NAME_H

#include "common/base/buf.h"
#include "common/base/span.h"
#include "common/base/status.h"

#include <stdbool.h>

enum {
	NAME_MAX_POINTS = 64,
	NAME_MAX_BYTES = 256,
	/* U+FDFA makes 33 bytes of a key. */
	NAME_KEY_MAX = NAME_MAX_POINTS * 33,
};

/*
 * Appends the name that a client chooses with `text`. NULL, or a constant text
 * for the client that names the fault.
 */
MUST_CHECK const char *name_read(struct span text, struct buf *ret_name);
/* Appends the key: names with the same key are the same name. */
MUST_CHECK enum status name_key(struct span name, struct buf *ret_key);

/*
 * The keys under which a name may be stored. A row from before names were
 * normalised may have the folded name as its key, if another row has `key`:
 * that row is meant when there is one.
 */
struct name_keys {
	struct buf key;    /* empty: no new name has this key */
	struct buf folded; /* case folding of the text as sent */
};

void name_keys_free(struct name_keys *keys);
/*
 * The keys of a name to look up, which may be one that name_read() refuses
 * today. NULL, or a constant text for the client that names the fault.
 */
MUST_CHECK const char *name_keys_read(struct span text,
                                      struct name_keys *ret_keys);

#endif
