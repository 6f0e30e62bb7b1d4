/*
 * api - the REST server of identity-service: routes and worker pools.
 * docs/protocol/openapi.yaml
 */
#ifndef PARLEY_IDENTITY_API_H
#define PARLEY_IDENTITY_API_H

#include "identity-service/database.h"
#include "identity-service/keys/token.h"
#include "identity-service/session/session_uses.h"
#include "identity-service/settings.h"

struct api;

/* ST_UNAVAILABLE: the port cannot be bound; errno says why. */
MUST_CHECK enum status api_start(const struct identity_settings *settings,
                                 struct keyring *keyring, struct tokens *tokens,
                                 struct revocations *revocations,
                                 struct session_uses *session_uses,
                                 struct database_source *source,
                                 struct api **ret_api);
/* Answers running requests first; accepts NULL. */
void api_stop(struct api **api);
/* Updates the metrics of the queues. */
void api_update_metrics(struct api *api);

#endif
