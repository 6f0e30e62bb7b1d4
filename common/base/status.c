#include "common/base/status.h"

const char *status_text(enum status status)
{
	switch (status) {
#define STATUS_CASE(name, text) \
	case ST_##name: \
		return text;
		STATUS_TABLE(STATUS_CASE)
#undef STATUS_CASE
	}
	return "unknown";
}

bool status_retryable(enum status status)
{
	return status == ST_BUSY || status == ST_UNAVAILABLE ||
	       status == ST_UNCERTAIN;
}
