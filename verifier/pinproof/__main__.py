"""`python -m pinproof`."""

from __future__ import annotations

import sys

from pinproof._cli import main

sys.exit(main())
