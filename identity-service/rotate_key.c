#include "identity-service/rotate_key.h"
#include "common/base/mem.h"
#include "common/service/log.h"
#include "identity-service/schema.h"
#include "identity-service/settings.h"

#include <stdio.h>

enum { EXIT_DONE = 0, EXIT_FAILED = 111, WHY_MAX = 300, TRIES = 60 };

static enum status rotate(const struct identity_settings *settings,
                          struct sql *sql, struct new_key *ret_key,
                          struct buf *ret_why)
{
	struct key_rules rules = identity_key_rules(settings);
	CLEANUP(keyring_destroy) struct keyring *keyring = keyring_create();
	unsigned applied;
	enum status status = sql_connect(sql);

	if (status == ST_OK)
		status = schema_apply(sql, &applied);
	if (status == ST_OK)
		status = ST_BUSY;
	for (unsigned i = 0; i < TRIES && status == ST_BUSY; i++)
		status = signing_keys_rotate(keyring, sql, &rules, ret_key,
		                             ret_why);
	mem_wipe(&rules, sizeof(rules));
	return status;
}

static void say(const struct identity_settings *settings,
                const struct new_key *key)
{
	(void)printf("identity-service: %s key %s, which is in the JWKS now, "
	             "signs from %s on (IDENTITY_KEY_LEAD is %llu s)\n",
	             key->was_there ? "there is already the new"
	                            : "made the new",
	             key->kid, key->signs_from,
	             (unsigned long long)settings->key_lead_s);
}

int rotate_key(const void *settings)
{
	const struct identity_settings *s = settings;
	const struct sql_options options = identity_sql_options(s);
	CLEANUP(sql_destroy) struct sql *sql = NULL;
	CLEANUP(buf_free) struct buf why = BUF(WHY_MAX);
	struct new_key key;
	enum status status;

	log_start("identity-service", LOG_ERROR);
	sql_library_start();
	sql = sql_create(&options);
	status = rotate(s, sql, &key, &why);
	if (status == ST_OK) {
		say(s, &key);
		return EXIT_DONE;
	}
	if (why.len == 0)
		buf_append(&why,
		           span_of(*sql_error(sql) ? sql_error(sql)
		                                   : status_text(status)));
	(void)fprintf(stderr, "identity-service: no new key was made: %s\n",
	              buf_text(&why));
	return EXIT_FAILED;
}
