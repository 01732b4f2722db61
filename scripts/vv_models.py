#!/usr/bin/env python3
"""List, fetch, verify, activate, roll back, measure and import models. All logic: vv_core.models."""

import sys

from _environment import use_project_environment

use_project_environment()

from vv_core.models.command import main  # noqa: E402

sys.exit(main())
