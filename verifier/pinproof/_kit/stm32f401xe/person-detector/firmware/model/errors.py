"""What the model pipeline raises."""

from __future__ import annotations


class ModelError(Exception):
    """A picture, package, network or option that the pipeline cannot use; the message is one line and says which."""
