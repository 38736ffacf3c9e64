"""Signed checkpoints: what was rewritten or cut is found by a copy kept elsewhere, and each costs what is new."""

from __future__ import annotations

import json
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from onefold.audit import anchor, anchors, last_anchor, merkle, signing_key
from tests.audit.conftest import Here


def test_verify_fails_without_anchors_and_says_what_to_do(here: Here) -> None:
    assert here.run("verify").exit_code == 0
    here.anchors.unlink()
    assert here.run("verify").exit_code == 0  # by those in the store
    here.delete_stored_anchors()
    deleted = here.run("verify")
    assert deleted.exit_code == 1
    assert "NOT PROVEN: 5 events follow from each other" in deleted.output and "backup" in deleted.output
    assert here.run("verify", "--with", here.copy).exit_code == 1  # whoever deletes the anchors is found even so
    here.anchors.touch()
    assert here.run("verify").exit_code == 1
    facts = json.loads(here.run("verify", "--json").stdout)
    assert facts["ok"] is False and facts["problem"].startswith("NOT PROVEN")


def test_verify_of_an_export_alone_fails_and_with_a_copied_checkpoint_passes(here: Here, tmp_path: Path) -> None:
    export = tmp_path / "export.jsonl"
    export.write_text(here.run("export").stdout)
    assert "NOT PROVEN" in here.run("verify", "--file", export).output
    whole = here.run("verify", "--file", export, "--with", here.copy)
    assert whole.exit_code == 0, whole.output
    assert "1 copied checkpoints; the last 2 events came after" in whole.output


def cut_the_tail(here: Here) -> None:
    here.delete_events(2)


def cut_the_tail_and_the_anchors(here: Here) -> None:
    here.delete_events(3)
    here.anchor_anew()


def write_all_anew_and_sign_it(here: Here) -> None:
    here.rewrite(2)
    here.anchor_anew()


def write_all_anew_and_sign_it_by_another_key(here: Here) -> None:
    here.rewrite(1)
    signing_key.private_file(here.anchors.parent).unlink()
    signing_key.public_file(here.anchors.parent).unlink()
    here.anchor_anew()


def delete_the_anchors_and_go_on(here: Here) -> None:
    here.does("load:6")
    here.anchor_anew()


@pytest.mark.parametrize(
    ("attack", "alone", "found"),
    [
        (cut_the_tail, 1, "missing: event 3 was anchored"),
        (cut_the_tail_and_the_anchors, 0, "missing: the copied checkpoint is over 3 events, but the chain ends at 2"),
        (write_all_anew_and_sign_it, 0, "BROKEN at event 3: the events up to it differ from the copied checkpoint"),
        (write_all_anew_and_sign_it_by_another_key, 0, "not signed by any key of this installation"),
        (delete_the_anchors_and_go_on, 0, "BROKEN at event 3: its copied checkpoint is not in the anchor file"),
    ],
)
def test_what_one_machine_can_hide_is_found_by_a_copied_checkpoint(
    here: Here, attack: Callable[[Here], None], alone: int, found: str
) -> None:
    before = here.run("verify", "--with", here.copy)
    assert before.exit_code == 0, before.output
    attack(here)
    assert here.run("verify").exit_code == alone  # 0: one machine alone cannot prove more (docs/checkpoints.md)
    after = here.run("verify", "--with", here.copy)
    assert after.exit_code == 1
    assert found in after.output


@pytest.mark.parametrize(
    ("line", "found"),
    [
        (0, "BROKEN at event 3: its checkpoint of"),
        (1, "BROKEN at event 3: its checkpoint of"),
        (2, "is not over these events"),
        (3, "cannot be read"),
        (4, "it is not signed by any key of this installation"),
    ],
    ids=["origin", "size", "root", "separator", "signature"],
)
def test_a_checkpoint_that_was_changed_in_the_anchor_file_is_found(here: Here, line: int, found: str) -> None:
    first, *others = here.anchors.read_text().splitlines()
    whole = json.loads(first)
    note = whole["checkpoint"].splitlines()
    note[line] = note[line][:-6] + "AAAA" + note[line][-2:] if line != 1 else "2"
    here.anchors.write_text("\n".join([json.dumps({**whole, "checkpoint": "\n".join(note) + "\n"}), *others]) + "\n")
    broken = here.run("verify")
    assert (broken.exit_code, found in broken.output) == (1, True), broken.output


def test_an_unsigned_anchor_after_signed_ones_is_found(here: Here) -> None:
    newest = last_anchor(here.anchors)
    assert newest is not None
    line = {"seq": newest.seq, "hash": newest.hash, "at": newest.at}
    here.anchors.write_text(here.anchors.read_text().splitlines()[0] + "\n" + json.dumps(line) + "\n")
    assert "BROKEN at event 5: its anchor is unsigned" in here.run("verify").output


def test_the_unsigned_anchors_of_an_older_release_keep_verifying_and_the_next_one_is_signed(here: Here) -> None:
    old = [{"seq": a.seq, "hash": a.hash, "at": a.at} for a in anchors(here.anchors)]
    here.anchors.write_text("".join(json.dumps(line) + "\n" for line in old))
    assert "no checkpoint is signed" in here.run("verify").output  # until `up`, or a load, has signed
    anchor(here.loader, here.anchors)
    assert [bool(a.checkpoint) for a in anchors(here.anchors)] == [False, False, True]
    upgraded = here.run("verify")
    assert upgraded.exit_code == 0
    assert "3 anchored heads (1 signed)" in upgraded.output
    here.delete_events(5)
    assert here.run("verify").exit_code == 1


def test_a_checkpoint_hashes_only_what_is_new(here: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    here.does(*(f"load:{number}" for number in range(6, 40)))
    anchor(here.loader, here.anchors)
    hashed = 0
    leaf_hash = merkle.leaf_hash

    def counted(data: bytes) -> bytes:
        nonlocal hashed
        hashed += 1
        return leaf_hash(data)

    monkeypatch.setattr(merkle, "leaf_hash", counted)
    here.does("load:40", "load:41")
    assert anchor(here.loader, here.anchors) is not None
    assert hashed == 2
    assert here.run("verify").exit_code == 0


@pytest.mark.parametrize("content", [None, b"", b"{", b'{"size":5,"nodes":["AAAA"]}', b'{"size":2,"nodes":[]}'])
def test_a_tree_that_is_lost_or_damaged_is_made_anew_from_the_chain(here: Here, content: bytes | None) -> None:
    stored = here.anchors.with_name("tree.json")
    stored.unlink() if content is None else stored.write_bytes(content)
    here.does("load:6")
    anchor(here.loader, here.anchors)
    assert here.run("verify", "--with", here.copy).exit_code == 0


def test_the_key_is_its_owners_only_and_its_loss_is_not_hidden(here: Here) -> None:
    folder = here.anchors.parent
    assert stat.S_IMODE(signing_key.private_file(folder).stat().st_mode) == 0o600
    assert stat.S_IMODE(here.anchors.stat().st_mode) == 0o600
    signing_key.private_file(folder).unlink()
    refused = here.run("checkpoint")
    assert refused.exit_code == 1
    assert "signing.key, which signs the audit checkpoints, is gone" in str(refused.exception)


def test_a_rotated_key_is_introduced_by_the_old_one(here: Here, tmp_path: Path) -> None:
    folder = here.anchors.parent
    given = tmp_path / "given.pub"
    given.write_text(signing_key.public_file(folder).read_text())
    assert here.run("rotate-key").exit_code == 0
    here.does("load:7")
    anchor(here.loader, here.anchors)
    assert len(signing_key.signers(folder)) == 1
    assert len(signing_key.read_verifiers(signing_key.public_file(folder))) == 2
    for arguments in ((), ("--key", given), ("--with", here.copy), ("--with", here.copy, "--key", given)):
        verdict = here.run("verify", *arguments)
        assert verdict.exit_code == 0, verdict.output


def test_a_lost_key_is_replaced_and_who_holds_the_old_one_is_told(here: Here, tmp_path: Path) -> None:
    folder = here.anchors.parent
    given = tmp_path / "given.pub"
    given.write_text(signing_key.public_file(folder).read_text())
    signing_key.private_file(folder).unlink()
    assert here.run("rotate-key", "--lost").exit_code == 0
    assert here.run("verify").exit_code == 0
    told = here.run("verify", "--key", given)
    assert told.exit_code == 1
    assert "a key that no trusted one introduced" in told.output


def test_one_event_is_proven_to_somebody_without_the_warehouse(here: Here, tmp_path: Path) -> None:
    proof = tmp_path / "event-2.tlog-proof"
    proof.write_text(here.run("prove", 2).stdout)
    assert proof.read_text().startswith("c2sp.org/tlog-proof@v1\nextra ")
    checked = here.run("check-proof", proof)
    assert checked.exit_code == 0, checked.exception
    assert "event 2 (load.publish load:2 at " in checked.output
    other = tmp_path / "event-3.tlog-proof"
    other.write_text(here.run("prove", 3).stdout)
    mixed = proof.read_text().splitlines()
    mixed[1] = other.read_text().splitlines()[1]
    proof.write_text("\n".join(mixed) + "\n")
    assert here.run("check-proof", proof).exit_code == 1


def test_the_log_is_proven_to_continue_a_copied_checkpoint(here: Here, tmp_path: Path) -> None:
    proof = tmp_path / "since"
    proof.write_text(here.run("prove", "--since", here.copy).stdout)
    checked = here.run("check-proof", proof, "--with", here.copy)
    assert checked.exit_code == 0, checked.exception
    assert "the 5 events of onefold/audit/" in checked.output
    newest = tmp_path / "newest.checkpoint"
    newest.write_text(here.run("checkpoint").stdout)
    proof.write_text(here.run("prove", "--since", newest).stdout)  # nothing has been appended since
    assert here.run("check-proof", proof, "--with", newest).exit_code == 0
    write_all_anew_and_sign_it(here)
    proof.write_text(here.run("prove", "--since", here.copy).stdout)
    assert here.run("check-proof", proof, "--with", here.copy).exit_code == 1
