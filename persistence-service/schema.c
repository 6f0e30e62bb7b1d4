#include "persistence-service/schema.h"

#include "common/io/sql/migrate.h"
#include "common/service/log.h"
#include "persistence-service/rest/membership/channel_names.h"

/* Embeds the file as a NUL-terminated string. */
#define EMBED(name, path) \
	__asm__(".section .rodata\n" #name ":\n.incbin \"" path \
	        "\"\n.byte 0\n.previous\n"); \
	extern const char name[] __attribute__((visibility("hidden")))

EMBED(schema_0001, "persistence-service/schema/0001-chat.sql");
EMBED(schema_0002, "persistence-service/schema/0002-conversations.sql");
EMBED(schema_0003, "persistence-service/schema/0003-user-locks.sql");
EMBED(schema_0004, "persistence-service/schema/0004-names-and-reactions.sql");
EMBED(schema_0005, "persistence-service/schema/0005-refusals.sql");
EMBED(schema_0006, "persistence-service/schema/0006-deleted-users.sql");

enum status schema_apply(struct sql *sql)
{
	const struct sql_migration migrations[] = {
		{1, schema_0001}, {2, schema_0002}, {3, schema_0003},
		{4, schema_0004}, {5, schema_0005}, {6, schema_0006}};
	unsigned applied = 0;
	enum status status =
		sql_migrate(sql, migrations, ARRAY_LEN(migrations), &applied);

	if (status == ST_OK && applied)
		log_event(LOG_INFO, "schema.applied",
		          F_NUMBER("files", applied));
	return status;
}

/* Once in a process: an older version may have run beside the one before. */
enum status schema_renew_rows(struct sql *sql)
{
	static bool done;
	uint64_t renewed;
	enum status status;

	if (done)
		return ST_OK;
	status = channel_names_renew(sql, &renewed);
	done = status == ST_OK;
	if (done && renewed)
		log_event(LOG_INFO, "channel_names.renewed",
		          F_NUMBER("channels", renewed));
	return status;
}
