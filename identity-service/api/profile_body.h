/*
 * profile_body - profiles as JSON: the body of PATCH /auth/profile (RFC 7396),
 * and the answers. docs/protocol/openapi.yaml
 */
#ifndef PARLEY_IDENTITY_API_PROFILE_BODY_H
#define PARLEY_IDENTITY_API_PROFILE_BODY_H

#include "common/base/json_write.h"
#include "common/io/json.h"
#include "identity-service/account/profile.h"

struct profile_body {
	struct profile_change change; /* its texts lie in what follows */
	struct json *json;
	struct buf display_name; /* in Normalization Form C */
	char fault[128];         /* for the client */
};

/*
 * ST_INVALID: the body is not a well-formed JSON object. ST_DENIED: a member
 * breaks a rule, or may not be changed. `fault` says why. Free it in any case.
 */
MUST_CHECK enum status profile_body_read(struct span body,
                                         struct profile_body *ret_body);
void profile_body_free(struct profile_body *body);

/* Writes the members of a profile into an open object. */
enum profile_view { PROFILE_OF_OTHERS, PROFILE_OWN /* with the phone */ };
void profile_body_write(struct json_writer *w, const struct profile *profile,
                        enum profile_view view);

#endif
