"""`python -m peps_wps.cli`: the command without its script."""

import sys

from peps_wps.cli import main

if __name__ == "__main__":
    sys.exit(main())
