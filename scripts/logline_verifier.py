#!/usr/bin/env python3
"""Verify LogLines: single files, folders, and whole logs against their signed head and their witnesses.

Exit codes: 0 all valid; 1 evidence of tampering; 2 something could not be decided; 3 something is not a
LogLine; 4 usage, I/O, no keys, nothing to verify. Of several, the first of 1, 4, 3, 2 is given.
"""

import sys

from vv_core.audit.verifier_command import main

if __name__ == "__main__":
    sys.exit(main())
