/*
 * new_message - a message that a transaction may save, and its conversation.
 */
#ifndef PARLEY_PERSISTENCE_SAVE_MESSAGE_NEW_MESSAGE_H
#define PARLEY_PERSISTENCE_SAVE_MESSAGE_NEW_MESSAGE_H

#include "persistence-service/save/batch/batch.h"
#include "persistence-service/save/conversation/conversation_cache.h"

struct new_message {
	struct batch_entry *entry;
	struct cached_conversation *conversation;
};

#endif
