#!/usr/bin/env python3
"""Make the loop and the picture that TVs fall back on. All logic: vv_core.fallback_media."""

import sys

from _environment import use_project_environment

use_project_environment()

from vv_core.fallback_media.command import main  # noqa: E402

sys.exit(main())
