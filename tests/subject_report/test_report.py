"""A report says all about one person and nothing of anybody else, and leaves no value behind."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import pytest
from click.testing import CliRunner

from onefold.catalog.data_protection import check_data_protection
from onefold.commands.privacy import privacy
from onefold.errors import Fatal
from onefold.privacy.values import email, pesel
from onefold.subject_report.make import make_subject_report
from onefold.subject_report.model import SubjectReport
from onefold.warehouse.connection import connect
from tests.erasure.conftest import judged_office, office
from tests.erasure.office import EMAIL, OTHER, PESEL, TRACES, Office, adam, event, zofia

__all__ = ["judged_office", "office"]
ADAMS = (OTHER, "Nowy", "602 333 444", "602333444")


@pytest.fixture
def filled(office: Office) -> Office:
    office.load("hr.employee", zofia(), adam())
    office.load("hr.employee", zofia(department="Board", emergency="Adam Nowy, adam.nowy@firma.example"), adam())
    office.load(
        "microsoft365.calendar_event",
        event("1", 1, subject="Budget with Zofia Brzezińska", guests=[("Zofia", EMAIL)], by=("Adam Nowy", OTHER)),
        event("2", 2, subject="Adam Nowy's own", guests=[], by=("Adam Nowy", OTHER)),
    )
    with connect(office.url, autocommit=True) as connection:  # what conform would publish of both
        connection.execute(_PUBLISHED)
    return office


_PUBLISHED = """
with published as (
    insert into ops.publish (state, actor, mappings, ended_at) values ('published', 'os:tester', '{}', now())
    returning publish_id),
crosswalk as (
    insert into conformed.employee_crosswalk_version (record, system, stream, key, employee_id, _publish_id)
    select 'hr|employee|' || key, 'hr', 'employee', key, md5(key)::uuid, publish_id
    from published, unnest(array['7', '8']) as key),
shown as (
    insert into ops.published (entity, publish_id, actor) select 'employee', publish_id, 'os:tester' from published),
sources as (
    insert into conformed.employee_provenance (_publish_id, attributes, sources)
    select publish_id, array['email'], '{"email": {"hr.employee": {"field": "workEmail", "transform": "email"}}}'
    from published)
insert into conformed.employee_version
    (employee_id, source_of_truth, _systems, _records, _members, _loads, _mapping_versions, _winning_members, _hash,
     _publish_id, first_name, last_name, email)
select md5(key)::uuid, 'hr', '{hr}', 1, array['hr|employee|' || key], '{2}', '{1}', '{1}', '', publish_id,
       first, last, mail
from published, (values ('7', 'Zofia', 'Brzezińska', 'zofia.brzezinska@firma.example'),
    ('8', 'Adam', 'Nowy', 'adam.nowy@firma.example')) as person (key, first, last, mail)
"""


def report(office: Office, **given: object) -> SubjectReport:
    with connect(office.url, autocommit=True) as connection:
        values = given.pop("values", [email(EMAIL)])
        return make_subject_report(
            connection, office.catalog, check_data_protection(office.catalog), values, "os:tester", **given
        )


def test_it_has_every_version_with_its_source_purpose_and_recipients(filled: Office) -> None:
    made = report(filled)
    (record,) = made.records
    assert (record.stream, record.key, len(record.versions)) == ("hr.employee", "7", 2)
    assert record.purpose.startswith("Employ people")
    assert record.legal_basis.startswith("legal_obligation: Labour Code")
    assert record.recipients == ["Social insurance (ZUS)", "Tax office"]
    assert record.days_after_deletion == 3650
    newest, first = record.versions
    assert (newest.current, first.current) == (True, False)
    assert (newest.values["department"], first.values["department"]) == ("Board", "Sales")
    assert {newest.values[each] for each in ("customPESEL", "workEmail", "mobilePhone")} == {
        *(PESEL, EMAIL, "+48 601 222 333"),
    }
    assert newest.received_at > first.received_at
    assert set(made.known_by) == {f"email: {EMAIL}", f"pesel: {PESEL}", "phone: 601222333", "name: zofia brzezinska"}


def test_it_has_the_golden_records_with_their_history_and_where_each_value_is_from(filled: Office) -> None:
    (golden,) = report(filled).golden
    (version,) = golden.versions
    assert version.values == {"email": EMAIL, "first_name": "Zofia", "last_name": "Brzezińska"}
    assert (version.since is not None, version.until) == (True, None)
    assert [(each.attribute, each.stream, each.field) for each in golden.sources] == [
        ("email", "hr.employee", "workEmail")
    ]


def test_what_is_others_is_not_in_it(filled: Office) -> None:
    made = report(filled)
    text = json.dumps(made.as_json(), default=str, ensure_ascii=False)
    assert not [trace for trace in ADAMS if trace in text.replace("[of somebody else]", "")]
    assert "[of somebody else]" in made.records[0].versions[0].values["emergency"]
    (mention,) = made.mentions
    assert (mention.where, mention.rows) == ("microsoft365.calendar_event", 1)
    assert {"subject", "attendees"} <= set(mention.fields)


def test_what_waits_in_quarantine_is_in_it(filled: Office) -> None:
    loaded = filled.load("hr.employee", zofia(customPESEL="1", workEmail=EMAIL, hireDate="not a day"), adam())
    assert loaded.rows_quarantined + loaded.values_withheld > 0
    made = report(filled)
    assert len(made.waiting) == loaded.rows_quarantined


def test_it_is_found_by_any_identifier_and_not_made_for_nobody(filled: Office) -> None:
    assert report(filled, values=[pesel(PESEL)]).records[0].key == "7"
    with pytest.raises(Fatal, match="Nobody is named"):
        report(filled, values=[])
    with pytest.raises(Fatal, match="Nothing of this person"):
        report(filled, values=[email("nobody@nowhere.example")])


def test_that_it_was_made_is_in_the_audit_chain_and_no_value_is(
    filled: Office, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        made = report(filled)
    ((actor, subject, payload),) = filled.query(
        "select actor, subject, payload from audit.event where action = 'subject.report'"
    )
    assert (actor, subject) == ("os:tester", f"report:{made.report_id}")
    assert payload == {"golden": [f"employee/{made.golden[0].golden_id}"], **made.counts()}
    assert payload["versions"] == 2
    told = json.dumps(payload) + caplog.text + repr(made)
    assert not [trace for trace in TRACES if trace in told]


def test_the_command_reads_a_file_of_its_owner_and_writes_one(
    filled: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ONEFOLD_WAREHOUSE_URL", filled.url)
    who, output = tmp_path / "who.txt", tmp_path / "out" / "report.json"
    who.write_text(f"{EMAIL}\n")
    who.chmod(0o644)
    refused = CliRunner().invoke(privacy, ["report", "--file", str(who), "--output", str(output)])
    assert "Others may read" in str(refused.exception)
    assert not output.exists()
    who.chmod(0o600)
    done = CliRunner().invoke(privacy, ["report", "--file", str(who), "--output", str(output)])
    assert done.exit_code == 0, done.exception
    assert not [trace for trace in TRACES if trace in done.output]
    assert oct(output.stat().st_mode & 0o777) == "0o600"
    assert json.loads(output.read_text())["records"][0]["key"] == "7"
    piped = CliRunner().invoke(privacy, ["report", "--output", str(output)], input=f"{PESEL}\n")
    assert piped.exit_code == 0, piped.exception
    wrong = CliRunner().invoke(privacy, ["report", "--output", str(output)], input="Zofia Brzezińska\n")
    assert "Brzezińska" not in str(wrong.exception)
    assert "Line 1" in str(wrong.exception)
