#include "common/io/json.h"
#include "common/base/mem.h"
#include "common/io/json_check.h"

#include <cjson/cJSON.h>

enum { DEPTH_MAX = 16, MEMBERS_MAX = 64, LONG_MEMBERS_MAX = 65536 };

/*
 * struct json is never defined: its pointers are cJSON pointers. cJSON accepts
 * much that is not JSON, so json_check() checks the text first.
 */
static const cJSON *to_cjson(const struct json *json)
{
	return (const cJSON *)(const void *)json;
}

static const struct json *from_cjson(const cJSON *item)
{
	return (const struct json *)(const void *)item;
}

/* Quadratic: outside documents have at most MEMBERS_MAX members. */
static bool name_twice(const cJSON *object)
{
	for (const cJSON *a = object->child; a; a = a->next) {
		if (a->string) {
			for (const cJSON *b = a->next; b; b = b->next) {
				if (!strcmp(a->string, b->string))
					return true;
			}
		}
		if (a->child && name_twice(a))
			return true;
	}
	return false;
}

/*
 * Marks the numbers that are whole as written: the double of
 * 0.99999999999999999999 is whole, the text is not. The mark replaces cJSON's
 * valueint, which nothing here reads.
 */
static void mark_whole(cJSON *item, const bool **whole)
{
	for (; item; item = item->next) {
		if (cJSON_IsNumber(item))
			item->valueint = *(*whole)++;
		mark_whole(item->child, whole);
	}
}

static enum status parse(struct span text, struct json_numbers *numbers,
                         struct json **ret_json, const char **ret_why)
{
	const bool *whole = numbers->whole;
	cJSON *tree;

	*ret_why = json_check(text, DEPTH_MAX, numbers->max, numbers);
	if (*ret_why)
		return ST_INVALID;
	tree = cJSON_ParseWithLength(text.data, text.len);
	if (!tree) {
		*ret_why = "it is not JSON";
		return ST_INVALID;
	}
	if (name_twice(tree)) {
		*ret_why = "a member name occurs twice";
		cJSON_Delete(tree);
		return ST_INVALID;
	}
	mark_whole(tree, &whole);
	*ret_json = (struct json *)(void *)tree;
	return ST_OK;
}

enum status json_parse(struct span text, struct json **ret_json,
                       const char **ret_why)
{
	bool whole[MEMBERS_MAX];
	struct json_numbers numbers = {whole, MEMBERS_MAX, 0};

	return parse(text, &numbers, ret_json, ret_why);
}

enum status json_parse_long(struct span text, struct json **ret_json,
                            const char **ret_why)
{
	bool *whole CLEANUP(mem_free) = mem_new(LONG_MEMBERS_MAX);
	struct json_numbers numbers = {whole, LONG_MEMBERS_MAX, 0};

	return parse(text, &numbers, ret_json, ret_why);
}

void json_destroy(struct json **json)
{
	cJSON_Delete((cJSON *)(void *)*json);
	*json = NULL;
}

static const cJSON *member(const struct json *json, const char *name)
{
	return cJSON_GetObjectItemCaseSensitive(to_cjson(json), name);
}

enum json_kind json_kind(const struct json *json, const char *name)
{
	const cJSON *item = member(json, name);

	if (!item)
		return JSON_ABSENT;
	if (cJSON_IsNull(item))
		return JSON_NULL;
	if (cJSON_IsBool(item))
		return JSON_BOOL;
	if (cJSON_IsNumber(item))
		return JSON_NUMBER;
	if (cJSON_IsString(item))
		return JSON_TEXT;
	return cJSON_IsArray(item) ? JSON_ARRAY : JSON_OBJECT;
}

bool json_get_text(const struct json *json, const char *name,
                   struct span *ret_text)
{
	const cJSON *item = member(json, name);

	if (!cJSON_IsString(item))
		return false;
	*ret_text = span_of(item->valuestring);
	return true;
}

bool json_get_bool(const struct json *json, const char *name, bool *ret_yes)
{
	const cJSON *item = member(json, name);

	if (!cJSON_IsBool(item))
		return false;
	*ret_yes = cJSON_IsTrue(item);
	return true;
}

static bool read_id(const cJSON *item, uint64_t *ret_id)
{
	double number;

	if (!cJSON_IsNumber(item) || !item->valueint)
		return false;
	number = item->valuedouble;
	if (!(number >= 0 && number <= (double)JSON_ID_MAX))
		return false;
	*ret_id = (uint64_t)number;
	return true;
}

bool json_get_id(const struct json *json, const char *name, uint64_t *ret_id)
{
	return read_id(member(json, name), ret_id);
}

const struct json *json_get_object(const struct json *json, const char *name)
{
	const cJSON *item = member(json, name);

	return cJSON_IsObject(item) ? from_cjson(item) : NULL;
}

const struct json *json_get_item(const struct json *json, const char *name,
                                 unsigned index)
{
	const cJSON *array = member(json, name);

	if (!cJSON_IsArray(array))
		return NULL;
	return from_cjson(cJSON_GetArrayItem(array, (int)index));
}

bool json_item_id(const struct json *json, const char *name, unsigned index,
                  uint64_t *ret_id)
{
	const struct json *item = json_get_item(json, name, index);

	return item && read_id(to_cjson(item), ret_id);
}
