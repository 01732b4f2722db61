#!/usr/bin/env python3
"""Pack the logs of one day, with a manifest. All logic: vv_core.log_export."""

import sys

from _environment import use_project_environment

use_project_environment()

from vv_core.log_export.command import main  # noqa: E402

sys.exit(main())
