"""No personal value gets into an audit event; commitments do."""

from __future__ import annotations

import pytest

from onefold.audit import AuditEvent, actor, commitment, redact
from onefold.errors import Fatal

SALT = b"sixteen bytes and more"


@pytest.mark.parametrize(
    "value",
    [
        "Jan Kowalski",
        "Kowalski",
        "jan.kowalski@example.pl",
        "44051401359",
        "pesel:44051401359",
        "+48 601 602 603",
        "601-602-603",
        "601602603",
        "PL61109010140000071219812874",
        "ul. Prosta 1, 00-001 Warszawa",
        "https://crm.example/find?name=jan",
        1.5,
        {"nested": 1},
    ],
)
def test_personal_or_free_text_never_gets_into_a_payload(value: object) -> None:
    for payload in ({"fact": value}, {"facts": ["ok", value]}):
        with pytest.raises(Fatal) as refused:
            AuditEvent("os:x", "load.publish", "load:1", payload=payload)  # type: ignore[arg-type]
        assert str(value) not in str(refused.value)


@pytest.mark.parametrize("key", ["pesel", "customer_email", "first_name", "Key", "api_token"])
def test_a_payload_key_that_names_personal_data_is_refused(key: str) -> None:
    with pytest.raises(Fatal):
        AuditEvent("os:x", "load.publish", "load:1", payload={key: 1})


def test_what_a_load_has_to_say_is_accepted() -> None:
    said = {
        "rows_new": 12_345_678_901,
        "sure": True,
        "cursor": None,
        "window_start": "2026-01-01T00:00:00+00:00",
        "run": "manual__2026-11-22T16:23:36.123456+00:00",
        "backfill": "scheduled__2026-11-22T00:00:00+00:00",
        "suite": "salesforce__account",
        "field": "salesforce.account.BillingCity",
        "url": "https://crm.example/services/data",
        "share": "0.0213",
        "load": "0198f3a2-7b1c-7def-8123-456789012345",
        "who": commitment("jan.kowalski@example.pl", SALT),
        "streams": ["account", "contact"],
        "engine": "1.24.1",
    }
    event = AuditEvent("os:x", "load.publish", "load:1", "https://crm.example/x", "staging.a__b", said)
    assert event.plain_payload() == said


def test_a_commitment_is_repeatable_and_tells_nothing_without_its_salt() -> None:
    value = "jan.kowalski@example.pl"
    assert commitment(value, SALT) == commitment(value, SALT)
    assert commitment(value, SALT) != commitment(value, SALT + b"!")
    with pytest.raises(Fatal, match="at least 16"):
        commitment(value, b"short")


def test_redact_removes_what_looks_personal_and_keeps_what_explains() -> None:
    text = "Load 0198f3a2-7b1c-7def-8123-456789012345 at 2026-11-22T16:23:36Z: jan@x.pl, 44051401359, 42 rows"
    assert redact(text) == (
        "Load 0198f3a2-7b1c-7def-8123-456789012345 at 2026-11-22T16:23:36Z: [removed], [removed], 42 rows"
    )


def test_the_actor_is_the_airflow_run_or_the_one_logged_in() -> None:
    assert actor(dag_id="sync__crm", run_id="manual__1") == "airflow:sync__crm/manual__1"
    assert actor(user="anna", dag_id="rollback", run_id="r 1") == "airflow:by:anna/rollback/r_1"
    assert actor(user="anna") == "airflow:anna"
    assert actor().startswith("os:")
    AuditEvent(actor(), "load.publish", "load:1")
