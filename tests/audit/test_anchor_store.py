"""Anchors in the warehouse, which several machines share: none can change one, and what its owner removes is found."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from onefold.audit import anchor, anchoring, anchors, signing_key
from onefold.audit.anchor_store import stored_anchors
from onefold.errors import Fatal
from tests.audit.conftest import Here
from tests.roles import as_role


@pytest.fixture
def other(here: Here, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file of another machine, which is given the same key and has nothing else in common."""
    monkeypatch.setenv(signing_key.GIVEN, signing_key.private_file(here.anchors.parent).read_text())
    return tmp_path / "another" / "audit" / "anchor.jsonl"


def test_each_machine_adds_to_what_all_have_and_its_file_gets_what_others_added(here: Here, other: Path) -> None:
    here.does("load:6")
    anchor(here.loader, other)
    assert [each.seq for each in anchors(other)] == [3, 5, 6]
    here.does("load:7")
    anchor(here.loader, here.anchors)
    here.does("load:8")
    anchor(here.loader, other)
    assert anchor(here.loader, here.anchors) is None
    assert list(anchors(other)) == list(anchors(here.anchors)) == list(stored_anchors(here.loader))
    assert [each.seq for each in anchors(other)] == [3, 5, 6, 7, 8]
    checked = here.run("verify", "--with", other)
    assert (checked.exit_code, "5 anchored heads (5 signed)" in checked.output) == (0, True), checked.output


def test_a_machine_with_a_key_of_its_own_or_none_signs_nothing_and_says_what_to_give_it(
    here: Here, tmp_path: Path
) -> None:
    here.does("load:6")
    lonely = tmp_path / "lonely" / "anchor.jsonl"
    for _ in range(2):
        with pytest.raises(Fatal, match=r"does not have the key .*ONEFOLD_AUDIT_SIGNING_KEY_FILE"):
            anchor(here.loader, lonely)
        signing_key.ensure_key(lonely.parent)  # one of its own
    assert [each.seq for each in stored_anchors(here.loader)] == [3, 5]


@pytest.mark.parametrize(
    "change",
    [
        "update audit.anchor set checkpoint = ''",
        "delete from audit.anchor",
        "truncate audit.anchor",
        "insert into audit.anchor (seq, hash, checkpoint) select seq, hash, '' from audit.event where seq = 4",
        "insert into audit.anchor (seq, hash, checkpoint) values (6, sha256('x'), '')",
        "insert into audit.anchor select 6, hash, at, checkpoint, link from audit.anchor limit 1",
        "alter table audit.anchor disable trigger anchor_link",
    ],
)
def test_the_engine_can_only_add_a_newer_anchor_of_an_event_that_is_there(here: Here, change: str) -> None:
    here.does("load:6")
    for url in (as_role(here.owner, "onefold_loader"), *([here.owner] if "alter" not in change else [])):
        with psycopg.connect(url) as role, pytest.raises(psycopg.Error):
            role.execute(change)
    assert list(stored_anchors(here.loader)) == list(anchors(here.anchors))


def remove_the_newest(here: Here) -> None:
    here.delete_stored_anchors(5)


def remove_an_older_one(here: Here) -> None:
    here.delete_stored_anchors(3)


def remove_all(here: Here) -> None:
    here.delete_stored_anchors()


def change_a_checkpoint(here: Here) -> None:
    with psycopg.connect(here.owner) as owner:
        owner.execute("alter table audit.anchor disable trigger anchor_append_only")
        owner.execute("update audit.anchor set checkpoint = '' where seq = 3")


def cut_chain_and_anchors(here: Here) -> None:
    here.delete_stored_anchors(5)
    here.delete_events(4)


@pytest.mark.parametrize(
    ("attack", "found"),
    [
        (remove_the_newest, "event 5 is in this machine's file and not in audit.anchor"),
        (remove_an_older_one, "is not linked to the one before it"),
        (remove_all, "event 3 is in this machine's file and not in audit.anchor"),
        (change_a_checkpoint, "event 3 in audit.anchor is not linked"),
        (cut_chain_and_anchors, "missing: event 5 was anchored"),
    ],
)
def test_what_the_databases_owner_removes_or_changes_is_found_by_any_machines_file(
    here: Here, other: Path, attack: Callable[[Here], None], found: str
) -> None:
    anchor(here.loader, other)
    attack(here)
    broken = here.run("verify")
    assert (broken.exit_code, found in broken.output) == (1, True), broken.output


def test_a_removed_newest_anchor_stops_the_next_one(here: Here) -> None:
    remove_the_newest(here)
    here.does("load:6")
    with pytest.raises(Fatal, match=r"event 5 is in this machine's file and not in audit\.anchor"):
        anchor(here.loader, here.anchors)


def test_a_machine_that_died_between_store_and_file_is_caught_up_by_its_next_anchor(
    here: Here, monkeypatch: pytest.MonkeyPatch
) -> None:
    here.does("load:6")
    with monkeypatch.context() as patch:
        patch.setattr(anchoring, "_add", lambda file, new: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            anchor(here.loader, here.anchors)
    here.does("load:7")
    anchor(here.loader, here.anchors)
    assert [each.seq for each in anchors(here.anchors)] == [3, 5, 6, 7]
    assert here.run("verify").exit_code == 0


def test_an_upgrade_takes_the_anchors_of_the_file_into_the_store(here: Here) -> None:
    here.delete_stored_anchors()  # as a migrated warehouse is
    unsigned, *others = here.anchors.read_text().splitlines()
    old = {name: value for name, value in json.loads(unsigned).items() if name != "checkpoint"}
    here.anchors.write_text("\n".join([json.dumps(old), unsigned, *others]) + "\n")  # signed later, as by `up` once
    here.does("load:6")
    anchor(here.loader, here.anchors)
    assert [each.seq for each in stored_anchors(here.loader)] == [3, 5, 6]
    assert here.run("verify").exit_code == 0
