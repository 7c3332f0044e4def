"""`python -m reference_module.model`."""

from __future__ import annotations

import sys

from reference_module.model.cli import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
