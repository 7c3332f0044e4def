"""The network of the reference module: from a pinned wheel to a grey 8-bit .tflite, and from that to C constants.

Run from the repository's root as `python -m firmware.model <command>`; README.md beside this file is the guide.
"""

from __future__ import annotations

from firmware.model.errors import ModelError
from firmware.model.generate import Generated, generate
from firmware.model.reader import read_tflite

__all__ = ["Generated", "ModelError", "generate", "read_tflite"]
