#!/bin/bash
# --connect --innodb_initialized: whether it takes connections over TCP, which the
# server of the first start does not. To be refused is to be answered: code 0.
set -euo pipefail
port=$(tr '\0' '\n' </proc/1/cmdline | sed -n 's/^--port=//p')
exec mariadb-admin --no-defaults --protocol=tcp -h127.0.0.1 -P"${port:-3306}" \
	-unobody --silent ping 2>/dev/null
