#include "common/base/status.h"

const char *status_text(enum status status)
{
	switch (status) {
#define STATUS_CASE(name, http, text) \
	case ST_##name: \
		return text;
		STATUS_TABLE(STATUS_CASE)
#undef STATUS_CASE
	}
	return "unknown";
}

unsigned status_http(enum status status)
{
	switch (status) {
#define STATUS_CASE(name, http, text) \
	case ST_##name: \
		return http;
		STATUS_TABLE(STATUS_CASE)
#undef STATUS_CASE
	}
	return 500;
}

bool status_retryable(enum status status)
{
	return status == ST_BUSY || status == ST_UNAVAILABLE ||
	       status == ST_UNCERTAIN;
}
