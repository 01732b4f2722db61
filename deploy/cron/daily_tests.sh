#!/usr/bin/env bash
# The daily tests of an installed box, as its service user: the quick ones and, where the stages are processes, a demo clip
# through all of them. On a copy, since the installation itself is root's; the box's data and keys are not touched.
# A failure of any kind is an alert.
set -uo pipefail
prefix=$(cd "$(dirname "$0")/../.." && pwd -P)
has_room() { sed -n 2p "$prefix/.venv/.vv-installed" | tr , '\n' | grep -qx "$1"; }

test_copy() {
  local copy=$1
  cd "$prefix"
  tar --create --exclude=./.git --exclude=./.venv --exclude=./data --exclude=./logs --exclude=./secrets --exclude=./faces --exclude=./.env . |
    tar --extract --directory "$copy"
  ln -s "$prefix/.venv" "$copy/.venv"
  cd "$copy"
  timeout --kill-after=60 7200 bash scripts/run_tests.sh --installed
  if has_room scanner && has_room writer; then
    VV_HOME=$copy timeout --kill-after=60 1800 .venv/bin/python scripts/simulate.py
  fi
}

date -u +%Y-%m-%dT%H:%M:%SZ
(
  # In a condition, bash would go on after what fails.
  set -e
  copy=$(mktemp -d -t vv-daily-tests-XXXXXX)
  trap 'rm -rf "$copy"' EXIT
  test_copy "$copy"
)
status=$?
VV_HOME=$prefix "$prefix/.venv/bin/python" -m vv_core.job_alert daily_tests "$status" --log logs/daily_tests.log
exit "$status"
