#include "websocket-service/member_key.h"

struct member_key member_key_make(uint64_t user, uint64_t conversation)
{
	return (struct member_key){user, conversation};
}
