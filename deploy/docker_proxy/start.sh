#!/bin/sh
# Fills in whose containers may be looked at, and becomes nginx.
set -eu

project=${PROXY_PROJECT:?the compose project}
socket=${PROXY_SOCKET:-/var/run/docker.sock}

# The name becomes part of a regular expression: nothing but what Compose allows, and none of it means anything there.
case $project in
    *[!a-z0-9_-]* | [!a-z0-9]*)
        echo "docker_proxy: PROXY_PROJECT is no name of a compose project: $project" >&2
        exit 78
        ;;
esac
case $socket in
    *[!A-Za-z0-9/._-]* | [!/]*)
        echo "docker_proxy: PROXY_SOCKET is no plain absolute path: $socket" >&2
        exit 78
        ;;
esac

sed -e "s|@PROJECT@|$project|g" -e "s|@SOCKET@|$socket|g" /etc/docker_proxy/nginx.conf.template > /tmp/nginx.conf
exec nginx -c /tmp/nginx.conf -e /dev/stderr
