#include "bench/load/user_tokens.h"
#include "common/base/mem.h"
#include "common/base/span.h"

#include <stdio.h>
#include <stdlib.h>

static bool read_user(struct span line, struct user_token *ret_user)
{
	struct span token;

	if (line.len && line.data[line.len - 1] == '\n')
		line.len--;
	if (!span_to_u64(span_cut(line, ' ', &token), UINT64_MAX,
	                 &ret_user->id) ||
	    token.len == 0)
		return false;
	ret_user->token = mem_text(token.data, token.len);
	return true;
}

enum status user_tokens_read(const char *path, unsigned least,
                             struct user_tokens *ret_users)
{
	FILE *file = fopen(path, "re");
	struct user_tokens users = {NULL, 0};
	size_t capacity = 0;
	char *line = NULL;
	ssize_t len;

	while (file && (len = getline(&line, &capacity, file)) > 0) {
		users.users = mem_resize(
			users.users, (users.count + 1) * sizeof(*users.users));
		if (!read_user(span_make(line, (size_t)len),
		               &users.users[users.count]))
			break;
		users.count++;
	}
	free(line);
	if (file)
		(void)fclose(file);
	if (users.count < least || !users.count) {
		(void)fprintf(stderr, "%s has %u users, %u are needed\n", path,
		              users.count, least ? least : 1);
		user_tokens_free(&users);
		return ST_INVALID;
	}
	*ret_users = users;
	return ST_OK;
}

void user_tokens_free(struct user_tokens *users)
{
	while (users->count)
		mem_free(&users->users[--users->count].token);
	mem_free(&users->users);
}
