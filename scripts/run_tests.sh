#!/usr/bin/env bash
# The whole suite with coverage; arguments go to pytest. With --installed: the quick tests of what every box has, for which
# the room selftest is enough; a box runs them daily.
set -euo pipefail
cd "$(dirname "$0")/.."
python=.venv/bin/python
if [[ ${1:-} == --installed ]]; then
  rings=(tests/contract tests/core tests/logline_generator tests/retention tests/tv_scheduler)
  exec "$python" -m pytest -m "not integration and not docker and not torture" -q "${@:2}" "${rings[@]}"
fi
rm -f .coverage .coverage.*
status=0
"$python" -m coverage run -m pytest -m "not torture" -n auto --dist worksteal -q "$@" || status=$?
"$python" -m coverage combine -q
rm -f .coverage.* # half files of children that tests have killed; a report would look at them again
if (($# == 0)); then "$python" -m coverage report || status=1; fi
exit "$status"
