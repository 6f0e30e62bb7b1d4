#include "client-test/chat/chat_state.h"

#include <stdarg.h>
#include <stdio.h>

void chat_state_print(struct chat_state *chat, const char *format, ...)
{
	char text[512];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	prompt_print(chat->prompt, span_of(text));
}

void chat_state_print_marked(void *context, struct span line)
{
	struct chat_state *chat = context;

	user_names_print(chat->names, user_session_token(chat->session), line);
}

const char *chat_state_peer(const struct chat_state *chat)
{
	return *chat->options->to ? chat->options->to : chat->options->in;
}
