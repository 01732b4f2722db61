#!/usr/bin/env python3
"""Show logs/app.log for people. All logic: vv_core.log_view."""

import sys

from _environment import use_project_environment

use_project_environment()

from vv_core.log_view import main  # noqa: E402

sys.exit(main())
