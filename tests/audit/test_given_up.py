"""A copied checkpoint over events that a restore gave up is told from one over events that were rewritten."""

from __future__ import annotations

import shutil
from pathlib import Path

import psycopg
import pytest

from onefold.audit import AuditEvent, anchor, append, last_anchor
from onefold.audit.given_up import facts_of, given_up_files
from onefold.audit.owner import append_as_owner
from onefold.commands.audit_restored import say_restored
from onefold.errors import Fatal
from onefold.settings import settings
from tests.audit.conftest import Here
from tests.roles import as_role

ANNA, PIOTR = "airflow:anna.kowal", "airflow:piotr.zaremba"
GIVEN_UP = "given up by the restore recorded as event 5, said by airflow:anna.kowal, approved by airflow:piotr.zaremba"


def say(here: Here, who: str) -> None:
    """As `bin/onefold audit restored`, by whoever has signed in."""
    with psycopg.connect(here.owner, autocommit=True) as superuser:
        say_restored(settings(), superuser, as_role(here.owner, "onefold_approvals"), who, True)


def is_copied(here: Here, name: str) -> Path:
    """The newest checkpoint, kept elsewhere."""
    newest = last_anchor(here.anchors)
    assert newest is not None
    path = here.copy.with_name(name)
    path.write_text(newest.checkpoint)
    return path


@pytest.fixture
def newest(here: Here) -> Path:
    """A copy over nine events, of which a backup has the first two; the anchors know 3, 5 and 9."""
    here.does("load:6", "load:7", "load:8", "load:9")
    anchor(here.loader, here.anchors)
    copy = is_copied(here, "newest.checkpoint")
    here.delete_events(3)
    here.delete_stored_anchors()
    return copy


@pytest.fixture
def restored(here: Here, newest: Path) -> Path:
    """Two people have said so, as events 3 to 5; then it goes on, to event 7."""
    say(here, ANNA)
    say(here, PIOTR)
    here.does("load:6", "load:7")
    anchor(here.loader, here.anchors)
    return newest


def test_a_copy_over_what_was_given_up_is_told_with_the_names_of_both(here: Here, restored: Path) -> None:
    for copy in (here.copy, restored):
        found = here.run("verify", "--with", copy)
        assert (found.exit_code, GIVEN_UP in found.output) == (0, True), found.output
    assert here.run("verify", "--with", is_copied(here, "later.checkpoint")).exit_code == 0
    export = here.copy.with_name("export.jsonl")
    export.write_text(here.run("export").stdout)
    found = here.run("verify", "--file", export, "--with", restored, "--with", is_copied(here, "later.checkpoint"))
    assert (found.exit_code, GIVEN_UP in found.output) == (0, True), found.output


def test_nobody_says_it_alone(here: Here, newest: Path) -> None:
    say(here, ANNA)
    say(here, ANNA)
    with pytest.raises(Fatal, match="approved by somebody else"):
        say(here, "airflow:Anna.Kowal")  # another name for the same account
    assert here.loader.execute("select count(*) from audit.event where action = 'audit.restored'").fetchone() == (0,)
    assert here.run("verify").exit_code == 1


def test_events_with_the_numbers_of_what_was_given_up_cannot_be_rewritten(here: Here, restored: Path) -> None:
    """The numbers 3 to 9 were given up once; what has them now, and was copied since, counts."""
    later = is_copied(here, "later.checkpoint")
    anchors = shutil.copy(here.anchors, here.copy.with_name("anchors.jsonl"))
    here.delete_events(6)
    here.loader.execute("select audit.append('os:x', 'load.publish', 'load:forged', null, null, '{}', 'ok')")
    here.loader.execute("select audit.append('os:x', 'load.publish', 'load:forged', null, null, '{}', 'ok')")
    here.anchor_anew()
    for copy in (later, anchors):
        found = here.run("verify", "--with", copy)
        assert (found.exit_code, "rewritten" in found.output) == (1, True), found.output


def forge(here: Here, *, kept: int, approve: str | None = None) -> None:
    """The superuser writes chain and anchors anew from event 3 on, and calls it a restore, without the command."""
    lost = last_anchor(here.anchors)
    assert lost is not None
    facts = facts_of(kept, lost.seq, lost.hash, None, [])
    here.rewrite(3)
    with psycopg.connect(here.owner, autocommit=True) as superuser:
        if approve:
            superuser.execute(
                "select audit.append_any(%s, 'approval.request', 'restore:5', null, null,"
                " jsonb_build_object('requested_by', %s::text, 'content_sha256', %s::text), 'ok')",
                (ANNA, ANNA, "0" * 64),
            )
            superuser.execute(
                "select audit.append_any(%s, 'approval.approve', 'restore:5', null, null,"
                " jsonb_build_object('content_sha256', %s::text), 'approved')",
                (approve, "0" * 64),
            )
        with superuser.transaction():
            append_as_owner(superuser, AuditEvent(ANNA, "audit.restored", "audit:chain", payload=facts))
    here.anchor_anew()


@pytest.mark.parametrize(
    ("approve", "says"),
    [
        (None, "nobody has approved it"),
        (ANNA, "only airflow:anna.kowal, who said so, has approved it"),
        (PIOTR, "it gives up something else than airflow:piotr.zaremba approved"),
    ],
)
def test_a_forged_restore_hides_no_rewriting(here: Here, approve: str | None, says: str) -> None:
    copy = is_copied(here, "newest.checkpoint")
    forge(here, kept=2, approve=approve)
    alone = here.run("verify")
    assert (alone.exit_code, says in alone.output) == (1, True), alone.output
    found = here.run("verify", "--with", copy)
    assert (found.exit_code, "given up" in found.output) == (1, False), found.output


def test_a_checkpoint_that_the_given_up_file_has_not_is_of_a_rewritten_chain(here: Here, restored: Path) -> None:
    (file,) = given_up_files(here.anchors)
    file.write_bytes(file.read_bytes().splitlines(keepends=True)[-1])  # what the event names by its hash is changed
    found = here.run("verify", "--with", here.copy)
    assert (found.exit_code, "is not beside" in found.output) == (1, True), found.output
    assert here.run("verify", "--with", restored).exit_code == 0  # the head itself stands in the event


def test_what_was_before_the_restore_still_counts(here: Here) -> None:
    """Of the five anchored events a backup has four; the third is written anew together with the restore."""
    newest = is_copied(here, "newest.checkpoint")
    here.delete_events(5)
    here.delete_stored_anchors(5)
    say(here, ANNA)
    say(here, PIOTR)
    assert here.run("verify", "--with", here.copy).exit_code == 0  # it is in the file that was put aside
    found = here.run("verify", "--with", newest, "--with", here.copy)
    assert (found.exit_code, "its 5 events were given up" in found.output) == (0, True)
    here.delete_events(3)
    for number in range(4):
        event = ("os:x", "load.publish", f"load:forged-{number}")
        here.loader.execute("select audit.append(%s, %s, %s, null, null, '{}', 'ok')", event)
    here.anchor_anew()
    assert here.run("verify", "--with", here.copy).exit_code == 1


def test_appending_stays_refused_until_both_have_said_it(here: Here, newest: Path) -> None:
    say(here, ANNA)
    with pytest.raises(Fatal, match="older than its anchors"):
        append(here.loader, AuditEvent("os:x", "load.publish", "load:6"))
