#include "client-test/cli/roster.h"
#include "common/base/mem.h"

#include <stdio.h>

enum { PAGE = 200, PATH_LONGEST = 1024 };

struct reading {
	struct roster *roster;
	struct buf next; /* the cursor of the next page; empty: none */
};

bool roster_member_read(const struct json *json, struct roster_member *ret)
{
	struct roster_member member = {0};
	struct span role = SPAN_NONE;

	if (!json_get_id(json, "user", &member.user) ||
	    !json_get_id(json, "delivered_seq", &member.delivered_seq) ||
	    !json_get_id(json, "read_seq", &member.read_seq))
		return false;
	(void)json_get_text(json, "role", &role);
	(void)snprintf(member.role, sizeof(member.role), "%.*s", (int)role.len,
	               role.len ? role.data : "");
	*ret = member;
	return true;
}

static void add(struct roster *roster, const struct roster_member *member)
{
	roster->members =
		mem_resize(roster->members,
	                   (roster->count + 1) * sizeof(*roster->members));
	roster->members[roster->count++] = *member;
}

static void take(void *context, const struct rest_answer *answer)
{
	struct reading *reading = context;
	const struct json *item;
	struct roster_member member;

	for (unsigned i = 0;
	     (item = json_get_item(answer->json, "members", i)) != NULL; i++) {
		if (roster_member_read(item, &member))
			add(reading->roster, &member);
	}
	buf_clear(&reading->next);
	(void)rest_next_page(answer->json, &reading->next);
}

bool roster_read(struct rest_session *session, uint64_t conversation,
                 struct roster *ret_roster)
{
	struct reading reading = {ret_roster, BUF(PATH_LONGEST)};
	bool ok;

	*ret_roster = (struct roster){0};
	do {
		struct buf path CLEANUP(buf_free) = BUF(PATH_LONGEST);

		buf_format(&path, "/conversations/%llu/members?limit=%u",
		           (unsigned long long)conversation, (unsigned)PAGE);
		if (reading.next.len)
			buf_format(&path, "&after=%s", buf_text(&reading.next));
		ok = rest_session_call(session, "members", "GET",
		                       buf_text(&path), SPAN_NONE, take,
		                       &reading);
	} while (ok && reading.next.len);
	buf_free(&reading.next);
	return ok;
}

void roster_free(struct roster *roster)
{
	mem_free(&roster->members);
	roster->count = 0;
}
