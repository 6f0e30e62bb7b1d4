/*
 * Any bytes: json_parse() refuses them with a text, or returns a document whose
 * strings are UTF-8 without NUL, through every getter.
 */
#include "common/base/utf8.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

static const char *const names[] = {"a", "uuid", "message", "", "user_to"};

static void ask_all(const struct json *json, unsigned depth)
{
	if (!json || depth > 20)
		return;
	for (unsigned i = 0; i < sizeof(names) / sizeof(*names); i++) {
		const char *name = names[i];
		enum json_kind kind = json_kind(json, name);
		struct span text;
		uint64_t id;
		bool yes;

		if (json_get_text(json, name, &text)) {
			must(kind == JSON_TEXT);
			must(utf8_valid(text));
			must(text.len == 0 || !memchr(text.data, 0, text.len));
		}
		if (json_get_id(json, name, &id)) {
			must(kind == JSON_NUMBER);
			must(id <= JSON_ID_MAX);
		}
		if (json_get_bool(json, name, &yes))
			must(kind == JSON_BOOL);
		if (kind == JSON_OBJECT)
			ask_all(json_get_object(json, name), depth + 1);
		if (kind == JSON_ARRAY)
			ask_all(json_get_item(json, name, 0), depth + 1);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct json *json CLEANUP(json_destroy) = NULL;
	const char *why = NULL;

	if (json_parse(span_make(data, size), &json, &why) == ST_OK) {
		must(json != NULL);
		must(utf8_valid(span_make(data, size)));
		ask_all(json, 0);
	} else {
		must(json == NULL);
		must(why && *why);
	}
	return 0;
}
