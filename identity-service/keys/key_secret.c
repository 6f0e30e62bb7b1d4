#include "identity-service/keys/key_secret.h"

#define PURPOSE SPAN("parley signing keys")

void key_secret_make(struct span now, struct span before,
                     struct key_secret *ret_secret)
{
	seal_key_derive(now, PURPOSE, &ret_secret->now);
	ret_secret->has_before = before.len > 0;
	if (ret_secret->has_before)
		seal_key_derive(before, PURPOSE, &ret_secret->before);
}

enum status key_secret_close(const struct key_secret *secret, struct span kid,
                             struct span pem, struct buf *ret_sealed)
{
	return seal_close(&secret->now, kid, pem, ret_sealed);
}

enum status key_secret_open(const struct key_secret *secret, struct span kid,
                            struct span sealed, struct buf *ret_pem,
                            bool *ret_is_before)
{
	enum status status = seal_open(&secret->now, kid, sealed, ret_pem);

	*ret_is_before = status == ST_DENIED && secret->has_before;
	return *ret_is_before ? seal_open(&secret->before, kid, sealed, ret_pem)
	                      : status;
}
