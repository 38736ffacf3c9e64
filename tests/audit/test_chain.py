"""The audit chain: append-only, unforkable, verifiable offline, anchored outside the database."""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from onefold.audit import (
    GENESIS,
    AuditEvent,
    Entry,
    anchor,
    anchors,
    append,
    canonical,
    digest,
    entries_from_database,
    entries_from_file,
    verify,
)
from onefold.errors import Fatal


def event(number: int = 0) -> AuditEvent:
    return AuditEvent(
        actor="airflow:sync__crm/manual__2026-01-01T00:00:00+00:00",
        action="load.publish",
        subject=f"load:{number}",
        from_="crm.account",
        to="staging.crm__account",
        payload={"rows_new": number, "gate": "passed", "share": "0.02", "streams": ["account", "contact"]},
    )


def chain(length: int) -> Iterator[Entry]:
    previous = GENESIS
    for seq in range(1, length + 1):
        entry = Entry(
            action="load.publish",
            actor="os:loader",
            at="2026-01-31T23:59:59.000000Z",
            from_="crm.account",
            payload={"rows_new": seq, "gate": "passed", "window_start": "2026-01-30T00:00:00Z"},
            previous_hash=previous,
            result="ok",
            seq=seq,
            subject=f"load:{seq}",
            to="staging.crm__account",
        )
        previous = digest(entry)
        yield msgspec.structs.replace(entry, hash=previous)


def test_an_untouched_chain_is_intact(loader: psycopg.Connection) -> None:
    assert [append(loader, event(n)) for n in range(5)] == [1, 2, 3, 4, 5]
    verdict = verify(entries_from_database(loader))
    assert verdict.ok
    assert (verdict.events, verdict.head_seq) == (5, 5)


@pytest.mark.parametrize(
    ("tamper", "seq", "reason"),
    [
        ("update audit.event set payload = '{\"rows_new\": 99}' where seq = 3", 3, "hash mismatch"),
        ("update audit.event set payload = '{\"rows_new\": 1.5}' where seq = 3", 3, "hash mismatch"),
        ("update audit.event set at = at + interval '1 microsecond' where seq = 2", 2, "hash mismatch"),
        ("update audit.event set actor = 'os:nobody' where seq = 5", 5, "hash mismatch"),
        ("update audit.event set previous_hash = hash where seq = 4", 4, "hash mismatch"),
        ("delete from audit.event where seq = 3", 3, "missing"),
        ("delete from audit.event where seq = 1", 1, "missing"),
        ("delete from audit.event where seq between 2 and 4", 2, "missing"),
    ],
)
def test_audit_chain_names_the_first_bad_row(
    loader: psycopg.Connection, warehouse_url: str, tamper: str, seq: int, reason: str
) -> None:
    for n in range(5):
        append(loader, event(n))
    with psycopg.connect(warehouse_url) as owner:  # only the owner, by first removing the trigger, can do this
        owner.execute("alter table audit.event disable trigger event_append_only")
        owner.execute(tamper)
    fault = verify(entries_from_database(loader)).fault
    assert fault is not None
    assert (fault.seq, fault.reason.split(":")[0]) == (seq, reason)


def test_a_rewritten_event_with_a_fresh_hash_breaks_the_next_link() -> None:
    entries = list(chain(5))
    forged = msgspec.structs.replace(entries[2], payload={"rows_new": 0})
    entries[2] = msgspec.structs.replace(forged, hash=digest(forged))
    fault = verify(entries).fault
    assert fault is not None
    assert (fault.seq, fault.reason.startswith("link broken")) == (4, True)


def test_no_one_can_change_an_audit_event(loader: psycopg.Connection, warehouse_url: str) -> None:
    append(loader, event())
    with psycopg.connect(warehouse_url, autocommit=True) as superuser:
        superuser.execute("set session_replication_role = replica")  # ordinary triggers do not fire any more
        for conn in (loader, superuser):
            for statement in (
                "update audit.event set result = 'failed'",
                "delete from audit.event",
                "truncate audit.event",
            ):
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    conn.execute(statement)
    assert verify(entries_from_database(loader)).events == 1


def test_an_insert_past_the_chain_is_refused(loader: psycopg.Connection, warehouse_url: str) -> None:
    append(loader, event())
    insert = """
        insert into audit.event (seq, at, actor, action, subject, payload, result, previous_hash, hash)
        select %s, now(), 'os:x', 'x', 'x', '{}', 'ok', previous_hash, hash from audit.event where seq = 1
    """
    with psycopg.connect(warehouse_url, autocommit=True) as superuser:
        for seq in (2, 3):  # a second successor of nothing, and a gap
            with pytest.raises(psycopg.errors.SerializationFailure):
                superuser.execute(insert, (seq,))
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                loader.execute(insert, (seq,))


def test_rolled_back_append_leaves_no_gap(loader: psycopg.Connection) -> None:
    append(loader, event())
    with pytest.raises(ZeroDivisionError), loader.transaction():
        assert append(loader, event()) == 2
        raise ZeroDivisionError
    assert append(loader, event()) == 2
    assert verify(entries_from_database(loader)).ok


def test_concurrent_appends_never_fork_the_chain(loader: psycopg.Connection, loader_url: str) -> None:
    failures: list[Exception] = []

    def work(number: int) -> None:
        try:
            with psycopg.connect(loader_url) as conn:
                for turn in range(20):
                    append(conn, event(number))
                    conn.rollback() if turn % 4 == 3 else conn.commit()
        except psycopg.Error as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    verdict = verify(entries_from_database(loader))
    assert failures == []
    assert (verdict.ok, verdict.events) == (True, 8 * 15)


def test_truncated_tail_is_found_by_the_anchor(loader: psycopg.Connection, warehouse_url: str, tmp_path: Path) -> None:
    path = tmp_path / "audit" / "anchor.jsonl"
    for n in range(3):
        append(loader, event(n))
        anchor(loader, path)
    assert anchor(loader, path) is None  # nothing new, nothing written
    assert verify(entries_from_database(loader), anchors(path)).anchors == 3
    with psycopg.connect(warehouse_url) as owner:
        owner.execute("alter table audit.event disable trigger event_append_only")
        owner.execute("delete from audit.event where seq = 3")
    assert verify(entries_from_database(loader)).ok  # the chain alone cannot tell
    fault = verify(entries_from_database(loader), anchors(path)).fault
    assert fault is not None
    assert (fault.seq, fault.reason.split(":")[0]) == (3, "missing")
    with pytest.raises(Fatal, match=r"Audit event 3, anchored in .* is missing"):
        anchor(loader, path)


def test_a_chain_written_anew_is_found_by_the_anchor(loader: psycopg.Connection, tmp_path: Path) -> None:
    path = tmp_path / "anchor.jsonl"
    for n in range(3):
        append(loader, event(n))
    anchor(loader, path)
    assert verify(chain(3)).ok
    fault = verify(chain(3), anchors(path)).fault
    assert fault is not None
    assert fault.seq == 3
    assert "rewritten" in fault.reason


def test_a_torn_anchor_line_is_passed_over_and_fixed(loader: psycopg.Connection, tmp_path: Path) -> None:
    path = tmp_path / "anchor.jsonl"
    append(loader, event())
    anchor(loader, path)
    with path.open("ab") as file:
        file.write(b'{"seq": 2, "ha')
    assert [a.seq for a in anchors(path)] == [1]
    append(loader, event())
    anchor(loader, path)
    assert [a.seq for a in anchors(path)] == [1, 2]


def test_what_is_anchored_while_the_chain_is_read_is_not_taken_for_a_cut_tail(
    loader: psycopg.Connection, tmp_path: Path
) -> None:
    path = tmp_path / "anchor.jsonl"
    for n in range(2):
        append(loader, event(n))
        anchor(loader, path)

    def read_while_it_grows() -> Iterator[Entry]:
        first, *others = list(entries_from_database(loader))
        yield first
        append(loader, event(2))
        anchor(loader, path)
        yield from others

    verdict = verify(read_while_it_grows(), anchors(path))
    assert (verdict.ok, verdict.events, verdict.anchors) == (True, 2, 2)
    assert verify(entries_from_database(loader), anchors(path)).anchors == 3


def test_an_uncommitted_head_is_never_anchored(loader: psycopg.Connection, tmp_path: Path) -> None:
    with loader.transaction():
        append(loader, event())
        with pytest.raises(Fatal, match="commit first"):
            anchor(loader, tmp_path / "anchor.jsonl")
    assert not (tmp_path / "anchor.jsonl").exists()


def test_an_export_can_be_checked_with_nothing_but_json_and_sha256(loader: psycopg.Connection, tmp_path: Path) -> None:
    for n in range(3):
        append(loader, event(n))
    path = tmp_path / "export.jsonl"
    path.write_bytes(b"".join(canonical(e) + b"\n" for e in entries_from_database(loader)))
    previous = "0" * 64
    for line in path.read_text("utf-8").splitlines():
        found = json.loads(line)
        stated = found.pop("hash")
        plain = json.dumps(found, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        assert stated == hashlib.sha256(plain.encode()).hexdigest()
        assert found["previous_hash"] == previous
        previous = stated
    assert verify(entries_from_file(path)).head_hash == previous


@given(st.text(st.characters(exclude_categories=["Cs"])), st.integers(-(2**53) + 1, 2**53 - 1))
def test_canonical_json_is_the_same_in_two_libraries(text: str, number: int) -> None:
    entry = Entry("a", text, "t", None, {"z": number, "a": [text, True, None]}, GENESIS, "ok", 1, text, text)
    plain = json.dumps(json.loads(canonical(entry)), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert canonical(entry) == plain.encode()


def test_verify_checks_fifty_thousand_events_a_second_in_flat_memory(tmp_path: Path) -> None:
    path = tmp_path / "export.jsonl"
    count = 100_000
    with path.open("wb") as file:
        file.writelines(canonical(entry) + b"\n" for entry in chain(count))
    started = time.process_time()
    verdict = verify(entries_from_file(path))
    rate = count / (time.process_time() - started)
    print(f"verified {rate:,.0f} events per CPU second")
    assert verdict.events == count
    assert rate >= 50_000
