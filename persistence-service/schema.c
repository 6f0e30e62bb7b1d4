#include "persistence-service/schema.h"

#include "common/io/sql/migrate.h"
#include "common/service/log.h"

/* Embeds the file as a NUL-terminated string. */
#define EMBED(name, path) \
	__asm__(".section .rodata\n" #name ":\n.incbin \"" path \
	        "\"\n.byte 0\n.previous\n"); \
	extern const char name[] __attribute__((visibility("hidden")))

EMBED(schema_0001, "persistence-service/schema/0001-chat.sql");
EMBED(schema_0002, "persistence-service/schema/0002-conversations.sql");
EMBED(schema_0003, "persistence-service/schema/0003-user-locks.sql");

enum status schema_apply(struct sql *sql)
{
	const struct sql_migration migrations[] = {
		{1, schema_0001}, {2, schema_0002}, {3, schema_0003}};
	unsigned applied = 0;
	enum status status =
		sql_migrate(sql, migrations, ARRAY_LEN(migrations), &applied);

	if (status == ST_OK && applied)
		log_event(LOG_INFO, "schema.applied",
		          F_NUMBER("files", applied));
	return status;
}
