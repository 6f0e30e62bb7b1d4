/*
 * api - the REST API of conversations: routes, workers and the HTTP server.
 *
 * docs/protocol/openapi.yaml
 */
#ifndef PARLEY_PERSISTENCE_REST_API_H
#define PARLEY_PERSISTENCE_REST_API_H

#include "persistence-service/outbox_publisher.h"
#include "persistence-service/settings.h"

struct api;

/*
 * ST_UNAVAILABLE when the port is taken (see errno). The outbox publisher must
 * outlive the API.
 */
MUST_CHECK enum status api_start(const struct settings *settings,
                                 struct outbox_publisher *outbox_publisher,
                                 struct api **ret_api);
void api_stop(struct api **api);
void api_update_metrics(struct api *api);

#endif
