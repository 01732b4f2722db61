#!/usr/bin/env bash
# Build the images whose inputs changed, start them, go back where they do not get healthy. All logic: vv_core.images.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
export VV_HOME=${VV_HOME:-$root}
python=$root/.venv/bin/python
[[ -x $python ]] || python=python3
exec "$python" -m vv_core.images.command "$@"
