"""What can go wrong when a figure is drawn."""

from __future__ import annotations


class FigureError(Exception):
    """An image or declaration of which no figure can be drawn; one line."""
