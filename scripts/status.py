#!/usr/bin/env python3
"""Show in one screen how the box is doing. All logic: vv_core.status."""

import sys

from _environment import use_project_environment

use_project_environment()

from vv_core.status import main  # noqa: E402

sys.exit(main())
