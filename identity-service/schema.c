#include "identity-service/schema.h"

#include "common/io/sql/migrate.h"

/* The text of a file as a NUL-terminated constant. */
#define EMBED(symbol, path) \
	__asm__(".section .rodata\n" #symbol ":\n.incbin \"" path "\"\n" \
	        ".byte 0\n.previous\n"); \
	extern const char symbol[]

EMBED(schema_0001, "identity-service/schema/0001-identity.sql");
EMBED(schema_0002, "identity-service/schema/0002-names-and-guesses.sql");
EMBED(schema_0003, "identity-service/schema/0003-old-sessions.sql");
EMBED(schema_0004, "identity-service/schema/0004-refresh-tokens.sql");
EMBED(schema_0005, "identity-service/schema/0005-profiles.sql");
EMBED(schema_0006, "identity-service/schema/0006-phone-codes.sql");
EMBED(schema_0007, "identity-service/schema/0007-key-rotation.sql");

enum status schema_apply(struct sql *sql, unsigned *ret_applied)
{
	const struct sql_migration files[] = {
		{1, schema_0001}, {2, schema_0002}, {3, schema_0003},
		{4, schema_0004}, {5, schema_0005}, {6, schema_0006},
		{7, schema_0007}};

	return sql_migrate(sql, files, ARRAY_LEN(files), ret_applied);
}
