#include "websocket-service/about.h"

struct about about_make(uint64_t user, uint64_t conversation)
{
	return (struct about){user, conversation};
}
