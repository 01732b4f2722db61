#!/usr/bin/env python3
"""Turn the videos in input/ into signed LogLines; meant for cron. All logic: vv_core.pipeline."""

import sys

from _environment import use_project_environment

use_project_environment()

from vv_core.pipeline.orchestrate import main  # noqa: E402

sys.exit(main())
