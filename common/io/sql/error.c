#include "common/io/sql/error.h"

#include <errmsg.h>
#include <mysqld_error.h>

/*
 * Numbers for which the headers of the two servers have different names or
 * none. https://mariadb.com/kb/en/mariadb-error-code-reference/
 */
enum {
	DISK_FULL = 1021,
	CONNECTION_KILLED = 1927,
	MARIADB_CONSTRAINT_FAILED = 4025,
	MYSQL_CHECK_FAILED = 3819,
	MYSQL_IDLE_TIMEOUT = 4031,
	GALERA_NOT_READY = 1047,
	SERVER_LOST_EXTENDED = 2055,
};

bool sql_error_ends_connection(unsigned error)
{
	switch (error) {
	case CR_SERVER_GONE_ERROR:
	case CR_SERVER_LOST:
	case SERVER_LOST_EXTENDED:
	case CR_SSL_CONNECTION_ERROR:
	case CR_MALFORMED_PACKET:
	case CR_COMMANDS_OUT_OF_SYNC:
	case ER_SERVER_SHUTDOWN:
	case ER_UNKNOWN_STMT_HANDLER:
	case ER_NEED_REPREPARE:
	case ER_NET_PACKET_TOO_LARGE:
	case CR_NET_PACKET_TOO_LARGE:
	case CONNECTION_KILLED:
	case MYSQL_IDLE_TIMEOUT:
		return true;
	default:
		return false;
	}
}

static bool unfit_data(unsigned error)
{
	switch (error) {
	case ER_BAD_NULL_ERROR:
	case ER_WARN_DATA_OUT_OF_RANGE:
	case ER_TRUNCATED_WRONG_VALUE:
	case ER_TRUNCATED_WRONG_VALUE_FOR_FIELD:
	case ER_DATA_TOO_LONG:
	case ER_INVALID_CHARACTER_STRING:
	case ER_WRONG_VALUE:
	case WARN_DATA_TRUNCATED:
	case ER_NO_REFERENCED_ROW:
	case ER_ROW_IS_REFERENCED:
	case ER_NO_REFERENCED_ROW_2:
	case ER_ROW_IS_REFERENCED_2:
	case ER_NET_PACKET_TOO_LARGE:
	case CR_NET_PACKET_TOO_LARGE:
	case ER_TOO_BIG_ROWSIZE:
	case MARIADB_CONSTRAINT_FAILED:
	case MYSQL_CHECK_FAILED:
		return true;
	default:
		return false;
	}
}

static bool passes(unsigned error)
{
	switch (error) {
	case CR_CONNECTION_ERROR:
	case CR_CONN_HOST_ERROR:
	case CR_UNKNOWN_HOST:
	case CR_SERVER_HANDSHAKE_ERR:
	case ER_CON_COUNT_ERROR:
	case ER_TOO_MANY_USER_CONNECTIONS:
	case ER_USER_LIMIT_REACHED:
	case ER_HOST_IS_BLOCKED:
	case ER_OUT_OF_RESOURCES:
	case ER_OUTOFMEMORY:
	case ER_LOCK_WAIT_TIMEOUT:
	case ER_LOCK_DEADLOCK:
	case ER_LOCK_TABLE_FULL:
	case ER_RECORD_FILE_FULL:
	case DISK_FULL:
	case ER_ERROR_ON_WRITE:
	case ER_OPTION_PREVENTS_STATEMENT:
	case ER_OPEN_AS_READONLY:
	case ER_READ_ONLY_MODE:
	case ER_CANT_EXECUTE_IN_READ_ONLY_TRANSACTION:
	case GALERA_NOT_READY:
	case ER_QUERY_INTERRUPTED:
	case ER_MAX_PREPARED_STMT_COUNT_REACHED:
	case ER_NET_READ_ERROR:
	case ER_NET_READ_INTERRUPTED:
	case ER_NET_ERROR_ON_WRITE:
	case ER_NET_WRITE_INTERRUPTED:
		return true;
	default:
		return false;
	}
}

enum status sql_error_status(unsigned error)
{
	if (error == 0)
		return ST_OK;
	if (error == ER_DUP_ENTRY || error == ER_DUP_ENTRY_WITH_KEY_NAME ||
	    error == ER_DUP_FIELDNAME || error == ER_DUP_KEYNAME)
		return ST_CONFLICT;
	if (unfit_data(error))
		return ST_INVALID;
	if (sql_error_ends_connection(error) || passes(error))
		return ST_UNAVAILABLE;
	return ST_BROKEN;
}
