/*
 * api_action - shared by the routes that change groups and channels: reads a
 * request about one conversation, and answers it.
 *
 * Functions that return false have answered the request.
 */
#ifndef PARLEY_PERSISTENCE_REST_API_ACTION_H
#define PARLEY_PERSISTENCE_REST_API_ACTION_H

#include "persistence-service/rest/api_private.h"
#include "persistence-service/rest/membership/conversation_body.h"

/* Reads the actor and the conversation; the second function also the user. */
bool api_action_admit(struct worker *worker, struct http_request *request,
                      struct membership_action *ret_action);
bool api_action_admit_user(struct worker *worker, struct http_request *request,
                           struct membership_action *ret_action);

bool api_action_json(struct http_request *request, struct json **ret_json);
/* True when identity-service knows all users of the body. */
bool api_action_users_exist(struct worker *worker, struct http_request *request,
                            const struct conversation_body *body);

/* True after ST_OK, when a change was announced; else answers the failure. */
bool api_action_done(struct worker *worker, struct http_request *request,
                     enum status status);
/* Answers with the conversation, as `user` sees it. */
void api_action_answer(struct worker *worker, struct http_request *request,
                       unsigned http, uint64_t user, uint64_t conversation);

#endif
