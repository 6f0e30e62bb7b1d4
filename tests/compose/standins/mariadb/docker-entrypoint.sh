#!/bin/bash
# What the official image does, as far as Parley asks for it; like there, all options
# are also those of the first server, which sets the data up.
set -euo pipefail

[[ ${1-} != -* ]] || set -- mariadbd "$@"
as_mysql=(setpriv --reuid=mysql --regid=mysql --clear-groups)

chown mysql:mysql /var/lib/mysql /run/mysqld
if [[ ! -d /var/lib/mysql/mysql ]]; then
	password=$(<"$MARIADB_ROOT_PASSWORD_FILE")
	mariadb-install-db --user=mysql --datadir=/var/lib/mysql --skip-test-db \
		--auth-root-authentication-method=normal "${@:2}" >/dev/null
	"${as_mysql[@]}" "$@" --skip-networking &
	server=$!
	until mariadb-admin --protocol=socket -uroot --silent ping; do sleep 0.2; done
	mariadb --protocol=socket -uroot <<<"ALTER USER root@localhost IDENTIFIED BY '$password';"
	kill "$server"
	wait "$server"
fi
exec "${as_mysql[@]}" "$@"
