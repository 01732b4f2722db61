#!/usr/bin/env python3
"""Look at the project's containers and heal them. All logic: vv_core.monitor."""

import sys

from _environment import use_project_environment

use_project_environment()

from vv_core.monitor.command import main  # noqa: E402

sys.exit(main())
