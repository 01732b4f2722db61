#!/usr/bin/env bash
# The daily tests of an installed box, as its service user: the quick ones, on a copy of the files, since the
# installation itself is root's. A failure is an alert, like any other.
set -euo pipefail
prefix=$(cd "$(dirname "$0")/../.." && pwd -P)
copy=$(mktemp -d -t vv-daily-tests-XXXXXX)
trap 'rm -rf "$copy"' EXIT
cd "$prefix"
tar --create --exclude=./.git --exclude=./.venv --exclude=./data --exclude=./logs --exclude=./secrets --exclude=./faces --exclude=./.env . |
  tar --extract --directory "$copy"
ln -s "$prefix/.venv" "$copy/.venv"
cd "$copy"
date -u +%Y-%m-%dT%H:%M:%SZ
status=0
timeout --kill-after=60 7200 bash scripts/run_tests.sh -m "not integration and not docker and not torture" || status=$?
VV_HOME=$prefix "$prefix/.venv/bin/python" -m vv_core.job_alert daily_tests "$status" --log logs/daily_tests.log
exit "$status"
