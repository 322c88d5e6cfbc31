"""`python -m kdsearch` is `kdsearch`."""

import sys

from kdsearch.cli import main

sys.exit(main())
