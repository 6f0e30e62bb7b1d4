/*
 * asker - one worker's questions to identity-service, over one connection.
 *
 * Threads    one thread each.
 */
#ifndef PARLEY_PERSISTENCE_REST_ASKER_H
#define PARLEY_PERSISTENCE_REST_ASKER_H

#include "common/wire/identity.h"

struct asker;

struct asker *asker_create(const char *identity_url);
void asker_destroy(struct asker **asker);
/*
 * GET of a path, whose answer `read` makes into *ret_read and a status, which
 * is returned; `asked` and `answer` are as http_client_ask() gave them.
 * ST_UNAVAILABLE is logged here.
 */
typedef enum status
asker_read(enum status asked, const struct http_answer *answer, void *ret_read);
MUST_CHECK enum status asker_ask(struct asker *asker, const char *path,
                                 struct span token, asker_read *read,
                                 void *ret_read);

#endif
