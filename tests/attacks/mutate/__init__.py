"""Images patched as no compiler would.

`campaign` says how many of them the verifier accepts, and which of those are dangerous.
"""

from __future__ import annotations

from tests.attacks.mutate.campaign import Campaign, campaign

__all__ = ["Campaign", "campaign"]
