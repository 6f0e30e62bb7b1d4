/*
 * api - the REST server of identity-service: routes, pools, workers.
 * docs/protocol/openapi.yaml
 */
#ifndef PARLEY_IDENTITY_API_H
#define PARLEY_IDENTITY_API_H

#include "identity-service/database.h"
#include "identity-service/settings.h"
#include "identity-service/token.h"

struct api;

/* ST_UNAVAILABLE when the port can't be bound; errno says why. */
MUST_CHECK enum status api_start(const struct identity_settings *settings,
                                 struct tokens *tokens,
                                 struct database_source *source,
                                 struct api **ret_api);
/* Answers what is under way first; accepts NULL. */
void api_stop(struct api **api);
/* Sets the gauges of the queues. */
void api_measure(struct api *api);

#endif
