#!/usr/bin/env python3
"""Run docker compose with the box's settings. All logic: vv_core.pipeline.compose_command."""

import sys

from _environment import use_project_environment

use_project_environment()

from vv_core.pipeline.compose_command import main  # noqa: E402

sys.exit(main())
