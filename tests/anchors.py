"""A warehouse that is older than its anchors, without a backup: its anchor file knows an event that never was."""

from __future__ import annotations

import msgspec

from onefold.audit import Anchor
from onefold.private_files import append_private
from onefold.settings import settings


def anchor_what_is_lost() -> None:
    """From now on the warehouse is taken for a restored backup; ONEFOLD_HOME is the test's own."""
    with append_private(settings().audit_anchor) as file:
        file.write(msgspec.json.encode(Anchor(1_000_000, "0" * 64, "2026-11-29T02:14:07.120000Z")) + b"\n")
