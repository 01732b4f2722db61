#!/usr/bin/env python3
"""Remove files that are older than the rules say. All logic: vv_core.retention."""

import sys

from _environment import use_project_environment

use_project_environment()

from vv_core.retention.command import main  # noqa: E402

sys.exit(main())
