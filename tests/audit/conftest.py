"""An installation whose audit chain somebody tampers with."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from click.testing import CliRunner, Result

from onefold.audit import AuditEvent, anchor, append, signing_key
from onefold.commands.audit import audit
from onefold.settings import settings


@dataclass(frozen=True)
class Here:
    """An installation with five anchored events, and a checkpoint over the first three that was copied elsewhere."""

    loader: psycopg.Connection
    owner: str
    copy: Path

    @property
    def anchors(self) -> Path:
        return settings().audit_anchor

    def does(self, *subjects: str) -> None:
        for subject in subjects:
            append(self.loader, AuditEvent("os:x", "load.publish", subject))

    def run(self, *arguments: object) -> Result:
        return CliRunner().invoke(audit, [str(argument) for argument in arguments])

    def delete_events(self, first: int) -> None:
        """As a superuser can."""
        with psycopg.connect(self.owner) as owner:
            owner.execute("alter table audit.event disable trigger event_append_only")
            owner.execute("delete from audit.event where seq >= %s", (first,))
            owner.execute("alter table audit.event enable always trigger event_append_only")

    def delete_stored_anchors(self, *seqs: int) -> None:
        """All, or those of these events, as a superuser can."""
        with psycopg.connect(self.owner) as owner:
            owner.execute("alter table audit.anchor disable trigger anchor_append_only")
            if seqs:
                owner.execute("delete from audit.anchor where seq = any (%s)", (list(seqs),))
            else:
                owner.execute("delete from audit.anchor")
            owner.execute("alter table audit.anchor enable always trigger anchor_append_only")

    def rewrite(self, first: int) -> None:
        """Write the chain anew from this event on, with other content and right hashes; not by the engine."""
        self.delete_events(first)
        self.delete_stored_anchors()
        for number in range(first, 6):
            event = ("os:x", "load.publish", f"load:forged-{number}")
            self.loader.execute("select audit.append(%s, %s, %s, null, null, '{}', 'ok')", event)

    def anchor_anew(self) -> None:
        """Sign what the chain is now, as if it had always been so: root here, who is the database's superuser, can."""
        self.anchors.unlink()
        self.delete_stored_anchors()
        self.loader.rollback()
        anchor(self.loader, self.anchors)


@pytest.fixture
def here(
    loader: psycopg.Connection, loader_url: str, warehouse_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Here:
    monkeypatch.setenv("ONEFOLD_WAREHOUSE_URL", loader_url)
    monkeypatch.setenv("ONEFOLD_HOME", str(tmp_path / "home"))
    monkeypatch.delenv(signing_key.GIVEN)
    here = Here(loader, warehouse_url, tmp_path / "copied.checkpoint")
    here.does("load:1", "load:2", "load:3")
    here.copy.write_text(here.run("checkpoint").stdout)
    here.does("load:4", "load:5")
    anchor(loader, here.anchors)
    return here
