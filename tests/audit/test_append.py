"""Audit events are appended by a function of the database alone, which links and hashes them as verify() expects."""

from __future__ import annotations

import hashlib
import json

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg.types.json import Jsonb

from onefold.audit import GENESIS, AuditEvent, append, entries_from_database, verify
from tests.roles import as_role

FORGED = """
    insert into audit.event (seq, at, actor, action, subject, payload, result, previous_hash, hash)
    values (2, now(), 'airflow:approver', 'rollback.decide', 'rollback:1', '{}', 'approved',
        (select hash from audit.event where seq = 1), sha256('forged'))
"""
CALL = "select audit.append(%s, %s, %s, %s, %s, %s, %s)"
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)
SCALAR = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT
JSON = st.recursive(SCALAR, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3))
OBJECT = st.dictionaries(TEXT, JSON, max_size=4)


def some_event() -> AuditEvent:
    return AuditEvent("os:loader", "load.publish", "load:1", payload={"rows_new": 1, "streams": ["account", "contact"]})


def test_no_role_writes_a_row_of_the_chain_itself_and_only_the_engine_appends(
    loader: psycopg.Connection, warehouse_url: str
) -> None:
    append(loader, some_event())
    for role in ("loader", "engineer", "analyst", "auditor"):
        with psycopg.connect(as_role(warehouse_url, f"onefold_{role}"), autocommit=True) as other:
            for statement in (
                FORGED,
                "update audit.event set result = 'failed'",
                "delete from audit.event",
                "truncate audit.event",
                "alter table audit.event disable trigger event_link",
                "set role onefold_definer",
                # every load would wait for it
                "do $$ begin lock table audit.append_lock in exclusive mode; end $$",
                "select audit.append_any('os:x', 'approval.approve', 'rollback:1', null, null, '{}', 'ok')",
            ):
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    other.execute(statement)
            if role != "loader":
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    append(other, some_event())
    assert [entry.seq for entry in entries_from_database(loader)] == [1]


@pytest.mark.parametrize("action", ["approval.approve", "audit.restored", "schema.migrate"])
def test_the_engine_cannot_append_what_only_a_function_that_has_checked_it_may_say(
    loader: psycopg.Connection, action: str
) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="appended by their own functions only"):
        append(loader, AuditEvent("airflow:approver", action, "rollback:1"))


def test_a_row_that_the_superuser_writes_past_the_trigger_is_found(
    loader: psycopg.Connection, warehouse_url: str
) -> None:
    append(loader, some_event())
    with psycopg.connect(warehouse_url, autocommit=True) as superuser:
        with pytest.raises(psycopg.errors.IntegrityConstraintViolation, match="hash of its content"):
            superuser.execute(FORGED)
        superuser.execute("alter table audit.event disable trigger event_link")
        superuser.execute(FORGED)
    fault = verify(entries_from_database(loader)).fault
    assert fault is not None
    assert (fault.seq, fault.reason.split(":")[0]) == (2, "hash mismatch")


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])  # rolled back
@given(st.lists(st.tuples(TEXT, TEXT, st.none() | TEXT, OBJECT), min_size=1, max_size=3))
def test_the_database_hashes_every_event_as_verify_does_or_refuses_it(
    loader: psycopg.Connection, events: list[tuple[str, str, str | None, dict[str, object]]]
) -> None:
    connection = loader
    with connection.transaction(force_rollback=True):
        appended = 0
        for actor, subject, reference, payload in events:
            try:
                with connection.transaction():
                    connection.execute(CALL, (actor, "load.publish", subject, reference, None, Jsonb(payload), "ok"))
                appended += 1
            except psycopg.errors.InvalidParameterValue:
                assert not keeps_its_numbers(payload)
        verdict = verify(entries_from_database(connection))
        assert (verdict.fault, verdict.events) == (None, appended)


def keeps_its_numbers(value: object) -> bool:
    """Whether all numbers are whole and such as every language reads exactly."""
    if isinstance(value, dict):
        return all(map(keeps_its_numbers, value.values()))
    if isinstance(value, list):
        return all(map(keeps_its_numbers, value))
    return (
        isinstance(value, bool)
        or not isinstance(value, int | float)
        or (isinstance(value, int) and abs(value) <= 2**53 - 1)
    )


def test_a_row_that_the_database_hashed_is_checked_by_json_and_sha256_alone(loader: psycopg.Connection) -> None:
    payload = {
        "text": 'é"\\\u2028\x1f\x7f\U0001f600',
        "list": [1, "b", None, True, -0],
        "number": 2**53 - 1,
        "a_b": "c",
    }
    loader.execute(CALL, ("os:x", "load.publish", "load:1", None, "staging.x", Jsonb(payload), "ok"))
    found = loader.execute(
        """select jsonb_build_object('seq', seq, 'at', to_char(at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
        'actor', actor, 'action', action, 'from', "from", 'to', "to", 'subject', subject, 'payload', payload,
        'result', result, 'previous_hash', encode(previous_hash, 'hex')), encode(hash, 'hex') from audit.event"""
    ).fetchone()
    assert found is not None
    plain = json.dumps(found[0], sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert (hashlib.sha256(plain.encode()).hexdigest(), found[0]["previous_hash"]) == (found[1], GENESIS)
