#!/usr/bin/env python3
"""The provable log: status, proofs, witnesses, keys, repair. All logic: vv_core.tlog."""

import sys

from _environment import use_project_environment

use_project_environment()

from vv_core.log_command.command import main  # noqa: E402

sys.exit(main())
