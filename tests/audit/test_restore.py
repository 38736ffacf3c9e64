"""A warehouse that is older than its anchors publishes nothing until somebody has said that it was restored."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from click.testing import CliRunner
from psycopg.conninfo import conninfo_to_dict

from onefold.audit import AuditEvent, anchors, append, entries_from_database, verify
from onefold.audit.approval import decide
from onefold.audit.restore import ask_restore, record_restore
from onefold.commands.audit import audit
from onefold.errors import Fatal
from onefold.platform.postgres import Postgres
from onefold.settings import settings
from tests.anchors import anchor_what_is_lost
from tests.audit.conftest import Here
from tests.databases import copy_database, drop_database
from tests.load.shop import SUITE, Shop, record
from tests.roles import as_role


@pytest.fixture
def shop(loader_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shop:
    monkeypatch.setenv("ONEFOLD_HOME", str(tmp_path / "home"))
    (tmp_path / "shop__customer.yaml").write_text(SUITE)
    return Shop(loader_url, tmp_path)


@pytest.fixture
def restored(postgres: Postgres, shop: Shop) -> Iterator[str]:
    """The warehouse as a backup had it, whose last load and its anchor came after; the superuser's URL."""
    shop.load([record("a", 1)])
    backup = copy_database(postgres, str(conninfo_to_dict(shop.url)["dbname"]))
    shop.load([record("b", 2)])
    shop.url = as_role(postgres.url(backup), "onefold_loader")
    yield postgres.url(backup)
    drop_database(postgres, backup)


CHANGES = (
    *("load.publish", "conform.publish", "conform.switch", "rollback.execute", "rollback.undo", "migration.published"),
    *("replay.begin", "replay.close", "erase.execute", "retention.purge", "what.nobody_has_thought_of"),
)


def test_whatever_changes_something_is_refused_in_its_transaction(here: Here) -> None:
    anchor_what_is_lost()
    for action in CHANGES:
        with pytest.raises(Fatal, match="older than its anchors"), here.loader.transaction():
            here.loader.execute("insert into ops.alert (kind, subject, message) values ('x', 'y', 'z')")
            append(here.loader, AuditEvent("os:x", action, "publish:1"))
    assert here.loader.execute("select count(*) from ops.alert").fetchall() == [(0,)]
    append(here.loader, AuditEvent("os:x", "load.reject", "load:1", result="rejected"))  # what failed is still told


def test_a_restored_warehouse_publishes_nothing_and_is_left_as_it_is(shop: Shop, restored: str) -> None:
    before, last = shop.versions(), list(anchors(settings().audit_anchor))
    with pytest.raises(Fatal, match=r"older than its anchors: .*Nothing was published.*onefold audit restored"):
        shop.load([record("c", 3)])
    assert (shop.versions(), list(anchors(settings().audit_anchor))) == (before, last)


def test_once_two_have_said_it_the_chain_tells_it_and_publishing_goes_on(
    shop: Shop, restored: str, tmp_path: Path
) -> None:
    path = settings().audit_anchor
    copied = shutil.copy(path, tmp_path / "copied.jsonl")
    heads = [each.seq for each in anchors(path)]
    with psycopg.connect(restored, autocommit=True) as superuser:
        ask_restore(superuser, path, "airflow:anna.kowal")
        with pytest.raises(Fatal, match="not approved"):
            record_restore(superuser, path)
        approve(restored, superuser, path, "airflow:piotr.zaremba")
        said = record_restore(superuser, path)
        assert (said.kept_seq, said.anchored_seq) == (heads[0], heads[-1])
        with pytest.raises(Fatal, match="nothing is lost"):
            record_restore(superuser, path)
        shop.load([record("c", 3)])
        verdict = verify(entries_from_database(superuser), anchors(path))
    assert (verdict.fault, set(shop.current())) == (None, {"a", "c"})
    assert [each.name for each in path.parent.glob("anchor.given-up-*.jsonl")] != []
    told = shop.query("select actor, payload ->> 'anchored_seq' from audit.event where action = 'audit.restored'")
    assert told == [("airflow:anna.kowal", str(heads[-1]))]
    assert verify_with(shop, copied).exit_code == 0


def test_a_cut_tail_that_nobody_has_called_a_restore_is_found(shop: Shop, restored: str, tmp_path: Path) -> None:
    path = settings().audit_anchor
    copied = shutil.copy(path, tmp_path / "copied.jsonl")
    assert verify_with(shop, copied).exit_code == 1
    path.unlink()  # the anchors are deleted with the tail, and new ones are made
    shop.load([record("c", 3)])
    assert verify_with(shop, copied).exit_code == 1


def test_the_engine_cannot_say_that_it_was_restored(shop: Shop, restored: str) -> None:
    path = settings().audit_anchor
    with psycopg.connect(restored, autocommit=True) as superuser:
        ask_restore(superuser, path, "airflow:anna.kowal")
        approve(restored, superuser, path, "airflow:piotr.zaremba")
    with psycopg.connect(shop.url, autocommit=True) as loader, pytest.raises(psycopg.errors.InsufficientPrivilege):
        record_restore(loader, path)


def approve(url: str, superuser: psycopg.Connection, path: Path, who: str) -> None:
    asked = ask_restore(superuser, path, who)
    with psycopg.connect(as_role(url, "onefold_approvals"), autocommit=True) as approvals:
        number = asked.approval_id
        decide(approvals, number, approved=True, by=who, started_by=asked.requested_by, shown=asked.plan)


def verify_with(shop: Shop, copied: str | Path):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ONEFOLD_WAREHOUSE_URL", as_role(shop.url, "onefold_auditor"))
        return CliRunner().invoke(audit, ["verify", "--with", str(copied)])
