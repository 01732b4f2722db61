"""``python -m vv_core.models``: the command ``vv-models``."""

import sys

from vv_core.models.command import main

sys.exit(main())
