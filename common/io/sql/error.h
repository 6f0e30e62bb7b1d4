/*
 * sql_error - what an error number of the server or the client library means.
 */
#ifndef PARLEY_IO_SQL_ERROR_H
#define PARLEY_IO_SQL_ERROR_H

#include "common/base/status.h"

#include <stdbool.h>

/* What the caller should do about the error; see sql.h. */
enum status sql_error_status(unsigned error);
/* True when the connection cannot be used after this error. */
bool sql_error_ends_connection(unsigned error);

#endif
