#include "client-test/cli/channels.h"
#include "common/base/mem.h"

enum { PAGE = 200, PATH_LONGEST = 2048 };

struct reading {
	struct channels *channels;
	struct buf next; /* the cursor of the next page; empty: none */
};

static void add(struct channels *channels, const struct json *item)
{
	struct channel channel = {0};
	struct span name;

	if (!json_get_id(item, "id", &channel.id) ||
	    !json_get_text(item, "name", &name))
		return;
	(void)json_get_id(item, "members", &channel.members);
	(void)json_get_bool(item, "joined", &channel.joined);
	channel.name = mem_text(name.data, name.len);
	channels->all = mem_resize(
		channels->all, (channels->count + 1) * sizeof(*channels->all));
	channels->all[channels->count++] = channel;
}

static void take(void *context, const struct rest_answer *answer)
{
	struct reading *reading = context;
	const struct json *item;

	for (unsigned i = 0;
	     (item = json_get_item(answer->json, "channels", i)) != NULL; i++)
		add(reading->channels, item);
	buf_clear(&reading->next);
	(void)rest_next_page(answer->json, &reading->next);
}

bool channels_read(struct rest_session *session, const char *search,
                   uint64_t at_most, struct channels *ret_channels)
{
	struct reading reading = {ret_channels, BUF(PATH_LONGEST)};
	bool ok;

	*ret_channels = (struct channels){0};
	do {
		struct buf path CLEANUP(buf_free) = BUF(2 * PATH_LONGEST);

		buf_format(&path, "/channels?limit=%u&search=", (unsigned)PAGE);
		rest_escape(&path, span_of(search));
		if (reading.next.len)
			buf_format(&path, "&after=%s", buf_text(&reading.next));
		ok = rest_session_call(session, "channels", "GET",
		                       buf_text(&path), SPAN_NONE, take,
		                       &reading);
	} while (ok && reading.next.len && ret_channels->count < at_most);
	buf_free(&reading.next);
	return ok;
}

void channels_free(struct channels *channels)
{
	while (channels->count)
		mem_free(&channels->all[--channels->count].name);
	mem_free(&channels->all);
}
