#!/usr/bin/env bash
# The whole suite with coverage; arguments go to pytest.
set -euo pipefail
cd "$(dirname "$0")/.."
python=.venv/bin/python
rm -f .coverage .coverage.*
status=0
"$python" -m coverage run -m pytest -m "not torture" -n auto --dist worksteal -q "$@" || status=$?
"$python" -m coverage combine -q
if (($# == 0)); then "$python" -m coverage report || status=1; fi
exit "$status"
