/*
 * sql_connect - opens a connection of the client library; a part of sql.
 *
 * The library would wait for name servers, whatever its time limits are. A host
 * that is a name is resolved here (host_cache.h), and each of its addresses is
 * tried.
 */
#ifndef PARLEY_IO_SQL_CONNECT_H
#define PARLEY_IO_SQL_CONNECT_H

#include <mysql.h>
#include <stdint.h>

enum { SQL_WHY_MAX = 512 };

struct sql_account {
	const char *host; /* a name, an address, or the path of a socket */
	const char *user;
	const char *password;
	const char *database;
	uint16_t port;
	unsigned timeout_s;
};

/* NULL: the error of the last address is in *ret_error and ret_why. */
MYSQL *sql_open(const struct sql_account *account, unsigned *ret_error,
                char ret_why[SQL_WHY_MAX]);

#endif
