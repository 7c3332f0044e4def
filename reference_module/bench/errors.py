"""What can go wrong when a number is measured."""

from __future__ import annotations


class BenchError(Exception):
    """Something that cannot be measured, or a record that cannot be read; one line."""
