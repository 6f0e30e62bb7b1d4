/*
 * api_act - what the routes that change groups and channels share: a question
 * about one conversation, its body, and the answers.
 *
 * Functions that give a bool have answered when it is false.
 */
#ifndef PARLEY_PERSISTENCE_REST_API_ACT_H
#define PARLEY_PERSISTENCE_REST_API_ACT_H

#include "persistence-service/rest/api_private.h"
#include "persistence-service/rest/membership/conversation_body.h"

/* Who asks about which conversation; and about which user of it. */
bool api_act_admit(struct worker *worker, struct http_request *request,
                   struct member_act *ret_act);
bool api_act_admit_user(struct worker *worker, struct http_request *request,
                        struct member_act *ret_act);

bool api_act_json(struct http_request *request, struct json **ret_json);
/* 422 with the text, unless it is NULL. */
bool api_act_fit(struct http_request *request, const char *unfit);
/* All of them do. */
bool api_act_users_exist(struct worker *worker, struct http_request *request,
                         const struct conversation_body *body);

/* It was done, and is told of. */
bool api_act_done(struct worker *worker, struct http_request *request,
                  enum status status);
void api_act_answer(struct worker *worker, struct http_request *request,
                    unsigned http, uint64_t user, uint64_t conversation);

#endif
