#!/bin/bash
# What the official image does with templates.
set -euo pipefail
names=$(compgen -e | sed 's/.*/${&}/' | tr '\n' ' ')
for template in /etc/nginx/templates/*.template; do
	name=${template##*/}
	envsubst "$names" <"$template" >"${NGINX_ENVSUBST_OUTPUT_DIR:-/etc/nginx/conf.d}/${name%.template}"
done
exec "$@"
