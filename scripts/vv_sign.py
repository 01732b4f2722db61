#!/usr/bin/env python3
"""Sign the shipped files in vv-signature.json, or check them. All logic: vv_core.manifest."""

import sys

from _environment import use_project_environment

use_project_environment()

from vv_core.manifest.command import main  # noqa: E402

sys.exit(main())
