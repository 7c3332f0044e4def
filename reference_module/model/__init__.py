"""The network of the reference module: from a pinned wheel to a grey 8-bit .tflite, and from that to C constants.

Run from the repository's root as `python -m reference_module.model <command>`; README.md beside this file is the guide.
"""

from __future__ import annotations

from reference_module.model.errors import ModelError
from reference_module.model.generate import Generated, generate
from reference_module.model.reader import read_tflite

__all__ = ["Generated", "ModelError", "generate", "read_tflite"]
