"""``python -m groundstate.cli``."""

import sys

from groundstate.cli import main

sys.exit(main())
