#include "client-test/cli/account_choice.h"
#include "common/base/mem.h"

#include <errno.h>
#include <string.h>

enum { FOLDER_MAX = 4096 };

/* A relative path is invalid, so it counts as unset. */
static const char *absolute(const char *variable)
{
	const char *path = options_environment(variable);

	return path && *path == '/' ? path : NULL;
}

struct session_file *account_choice_file(struct buf *fault)
{
	struct buf folder CLEANUP(buf_free) = BUF(FOLDER_MAX);
	const char *state = absolute("XDG_STATE_HOME");
	const char *home = absolute("HOME");

	if (state)
		buf_format(&folder, "%s/parley", state);
	else if (home)
		buf_format(&folder, "%s/.local/state/parley", home);
	if (folder.len && !buf_overflowed(&folder))
		return session_file_create(buf_text(&folder));
	buf_append(fault, SPAN("XDG_STATE_HOME and HOME name no folder for a "
	                       "session"));
	return NULL;
}

static enum status read_session(struct account_options *options,
                                struct session_file *file,
                                struct saved_session *ret_saved,
                                struct buf *fault)
{
	bool named = *options->name;
	enum status st = session_file_read(file, ret_saved);

	if (st == ST_NOT_FOUND)
		buf_append(fault,
		           named ? SPAN("--password is needed")
		                 : SPAN("sign in with 'client-test login', or "
		                        "give --name and --password"));
	else if (st == ST_INVALID)
		buf_format(fault, "%s is damaged; sign in again",
		           session_file_path(file));
	else if (st != ST_OK)
		buf_format(fault, "%s: %s", session_file_path(file),
		           strerror(errno));
	else if (named && strcmp(options->name, ret_saved->name) != 0)
		buf_format(fault,
		           "the session is of '%s': --password is needed",
		           ret_saved->name);
	else if (strcmp(options->url, OPTION_URL_PRESET) != 0 &&
	         strcmp(options->url, ret_saved->url) != 0)
		buf_format(fault,
		           "the session is at %s: --name and --password are "
		           "needed for another one",
		           ret_saved->url);
	else
		return ST_OK;
	return ST_INVALID;
}

enum status account_choice_make(struct account_options *options,
                                struct buf *fault)
{
	struct session_file *file CLEANUP(session_file_destroy) = NULL;
	struct saved_session saved CLEANUP(saved_session_free) = {0};

	options->session = NULL;
	if (*options->password) {
		if (*options->name)
			return ST_OK;
		buf_append(fault, SPAN("--name is needed"));
		return ST_INVALID;
	}
	file = account_choice_file(fault);
	if (!file || read_session(options, file, &saved, fault) != ST_OK)
		return ST_INVALID;
	options->session = MOVE(file);
	options->url = MOVE(saved.url);
	options->name = MOVE(saved.name);
	return ST_OK;
}

void account_choice_free(struct account_options *options)
{
	char *texts[] = {(char *)(uintptr_t)options->url,
	                 (char *)(uintptr_t)options->name};

	if (!options->session)
		return;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		mem_free(&texts[i]);
	options->url = "";
	options->name = "";
	session_file_destroy(&options->session);
}
