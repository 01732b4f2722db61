#!/usr/bin/env python3
"""Write the signed file that a box without a network is installed from. All logic: vv_core.bundle."""

import sys

from _environment import use_project_environment

use_project_environment()

from vv_core.bundle.command import main  # noqa: E402

sys.exit(main())
