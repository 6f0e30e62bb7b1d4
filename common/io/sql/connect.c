#include "common/io/sql/connect.h"
#include "common/io/host_cache.h"

#include <assert.h>
#include <errmsg.h>
#include <netdb.h>
#include <stdio.h>
#include <sys/socket.h>

enum { ADDRESS_MAX = 64 };

static void set_options(const struct sql_account *account, MYSQL *mysql)
{
	unsigned protocol = MYSQL_PROTOCOL_TCP;
	unsigned local_infile = 0;
	my_bool reconnect = 0;
	/* The client of 11.8 refuses servers whose certificate has no
	 * issuer; the database is on a private network. */
	my_bool verify = 0;

	if (account->host[0] == '/')
		protocol = MYSQL_PROTOCOL_SOCKET;
	mysql_options(mysql, MYSQL_OPT_PROTOCOL, &protocol);
	mysql_options(mysql, MYSQL_OPT_LOCAL_INFILE, &local_infile);
	mysql_options(mysql, MYSQL_OPT_RECONNECT, &reconnect);
	mysql_options(mysql, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &verify);
	mysql_options(mysql, MYSQL_SET_CHARSET_NAME, "utf8mb4");
	mysql_options(mysql, MYSQL_OPT_CONNECT_TIMEOUT, &account->timeout_s);
	mysql_options(mysql, MYSQL_OPT_READ_TIMEOUT, &account->timeout_s);
	mysql_options(mysql, MYSQL_OPT_WRITE_TIMEOUT, &account->timeout_s);
}

/* `address` is numeric; NULL: the host is a local socket. */
static MYSQL *try_address(const struct sql_account *account,
                          const char *address, unsigned *ret_error,
                          char ret_why[SQL_WHY_MAX])
{
	MYSQL *mysql = mysql_init(NULL);

	assert(mysql);
	set_options(account, mysql);
	if (mysql_real_connect(mysql, address, account->user, account->password,
	                       account->database, account->port,
	                       address ? NULL : account->host, 0))
		return mysql;
	*ret_error = mysql_errno(mysql);
	(void)snprintf(ret_why, SQL_WHY_MAX, "%s", mysql_error(mysql));
	mysql_close(mysql);
	return NULL;
}

static MYSQL *try_all(const struct sql_account *account,
                      const struct addrinfo *found, unsigned *ret_error,
                      char ret_why[SQL_WHY_MAX])
{
	MYSQL *mysql = NULL;

	for (; found && !mysql; found = found->ai_next) {
		char address[ADDRESS_MAX];

		if (!getnameinfo(found->ai_addr, found->ai_addrlen, address,
		                 sizeof(address), NULL, 0, NI_NUMERICHOST))
			mysql = try_address(account, address, ret_error,
			                    ret_why);
	}
	return mysql;
}

MYSQL *sql_open(const struct sql_account *account, unsigned *ret_error,
                char ret_why[SQL_WHY_MAX])
{
	const struct addrinfo hints = {.ai_family = AF_UNSPEC};
	struct addrinfo *found = NULL;
	MYSQL *mysql;
	int unknown;

	if (account->host[0] == '/')
		return try_address(account, NULL, ret_error, ret_why);
	unknown = host_cache_get(account->host, NULL, &hints, &found);
	if (unknown) {
		*ret_error = CR_UNKNOWN_HOST;
		(void)snprintf(ret_why, SQL_WHY_MAX,
		               "%.255s cannot be resolved: %s", account->host,
		               gai_strerror(unknown));
		return NULL;
	}
	mysql = try_all(account, found, ret_error, ret_why);
	host_cache_free(found);
	return mysql;
}
