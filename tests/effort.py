"""How often the tests try: a few times in `make test`, every time in `make torture` (ONEFOLD_TORTURE=full)."""

from __future__ import annotations

import os

TORTURE = os.environ.get("ONEFOLD_TORTURE") == "full"
"""A test that is too long for `make test` altogether is marked `torture`, which leaves it out there."""
