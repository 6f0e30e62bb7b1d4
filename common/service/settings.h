/*
 * settings - one table per service, filled from the environment.
 *
 * A service lists its settings in settings.def, one line each:
 *
 *	SETTING(http_port, IDENTITY_PORT, NUMBER, "8081", 1, 65535, "port",
 *		"Where …")
 *
 * The columns are: member, variable, kind, default, min, max, unit, meaning.
 * A NUMBER is a uint64_t, a TEXT or SECRET a const char *. min and max bound
 * the value of a number and the length of a text. The unit of a text stands for
 * its form (setting_form.h). A SECRET is never printed.
 * NAME_FILE may name a file that contains the secret (one trailing newline is
 * removed). A secret in the variable itself is wiped from the environment,
 * because /proc shows it. An empty variable counts as unset.
 * identity-service/settings.h turns such a list into a struct and a table.
 *
 * Ownership  settings_load() makes copies that live until the process ends.
 */
#ifndef PARLEY_SERVICE_SETTINGS_H
#define PARLEY_SERVICE_SETTINGS_H

#include "common/base/buf.h"
#include "common/base/scope.h"
#include "common/base/status.h"

#include <stddef.h>
#include <stdint.h>

enum setting_kind { SETTING_NUMBER, SETTING_TEXT, SETTING_SECRET };

struct setting {
	const char *environment;
	enum setting_kind kind;
	const char *preset; /* the default; NULL: required */
	uint64_t min;
	uint64_t max;
	const char *unit;
	const char *meaning;
	size_t offset; /* of the field in the service's struct */
};

/* For the X-macro list: the member, and the row of the table. */
#define SETTING_MEMBER_NUMBER(field) uint64_t field;
#define SETTING_MEMBER_TEXT(field)   const char *field;
#define SETTING_MEMBER_SECRET(field) const char *field;
#define SETTING_ROW(type, field, environment, kind, preset, min, max, unit, \
                    meaning) \
	{#environment, SETTING_##kind, preset,  min, \
	 max,          unit,           meaning, offsetof(type, field)},

struct settings_table {
	const struct setting *rows;
	unsigned count;
};

/*
 * Fills `values`. On ST_INVALID `faults` has a line for each fault, which names
 * the variable. A faulty setting gets its default, so that later checks can
 * run.
 */
MUST_CHECK enum status settings_load(const struct settings_table *table,
                                     void *values, struct buf *faults);
/* Writes the table for --help: name, meaning, default, range, unit. */
void settings_help(const struct settings_table *table, struct buf *ret_text);

#endif
