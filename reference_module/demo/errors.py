"""What can go wrong before the first frame."""

from __future__ import annotations


class DemoError(Exception):
    """A video that cannot be had or read; one line."""
