#include "persistence-service/conversation.h"

#include "common/base/scope.h"

static const char *const kinds[] = {
	[KIND_GROUP] = "group",
	[KIND_CHANNEL] = "channel",
};
static const char *const histories[] = {
	[HISTORY_ALL] = "all",
	[HISTORY_JOINED] = "joined",
};
static const char *const roles[] = {
	[ROLE_MEMBER] = "member",
	[ROLE_ADMIN] = "admin",
	[ROLE_OWNER] = "owner",
};

/* 0: none of them. */
static unsigned find(const char *const *words, unsigned count, struct span word)
{
	for (unsigned i = 0; i < count; i++) {
		if (words[i] && span_equal(span_of(words[i]), word))
			return i;
	}
	return 0;
}

bool conversation_kind_read(struct span word, enum conversation_kind *ret_kind)
{
	unsigned found = find(kinds, ARRAY_LEN(kinds), word);

	if (found)
		*ret_kind = found;
	return found != 0;
}

bool conversation_history_read(struct span word, enum history_kind *ret_history)
{
	unsigned found = find(histories, ARRAY_LEN(histories), word);

	if (found)
		*ret_history = found;
	return found != 0;
}

bool member_role_read(struct span word, enum member_role *ret_role)
{
	unsigned found = find(roles, ARRAY_LEN(roles), word);

	if (found)
		*ret_role = found;
	return found != 0;
}

/* An unknown number in a table gets the word `least`. */
static const char *word_of(const char *const *words, unsigned count,
                           unsigned number, const char *least)
{
	return number < count && words[number] ? words[number] : least;
}

const char *conversation_kind_word(enum conversation_kind kind)
{
	return word_of(kinds, ARRAY_LEN(kinds), kind, "direct");
}

const char *conversation_history_word(enum history_kind history)
{
	return word_of(histories, ARRAY_LEN(histories), history, "all");
}

const char *member_role_word(enum member_role role)
{
	return word_of(roles, ARRAY_LEN(roles), role, "member");
}
