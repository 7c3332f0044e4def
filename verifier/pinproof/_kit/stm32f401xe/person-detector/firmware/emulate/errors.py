"""What can go wrong when an image is run."""

from __future__ import annotations


class EmulationError(Exception):
    """The harness failed, or its input is unusable; one line. What an image does is observed, not raised."""
