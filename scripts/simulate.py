#!/usr/bin/env python3
"""Take one clip through the whole pipeline and show what comes out. All logic: vv_core.simulation."""

import sys

from _environment import use_project_environment

use_project_environment()

from vv_core.simulation import main  # noqa: E402

sys.exit(main())
