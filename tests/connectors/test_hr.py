"""BambooHR by its YAML alone, against the sandbox: employees, their tables, and who was deleted."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import requests

from onefold.catalog.reader import read_systems
from onefold.connectors.window import Window
from onefold.errors import Fatal
from sandbox.hr.api import API_KEY
from sandbox.world.business import people, person
from tests.connectors.running_sandbox import Connected, Sandbox, everything, running

COMPANIES, SEED = 900, 7


@pytest.fixture(scope="module")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    environment = {**os.environ, "SANDBOX_HR_PAGE": "25"}
    with running(tmp_path_factory.mktemp("sandbox"), COMPANIES, environment) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(process: Sandbox) -> Sandbox:
    """The sandbox over its base world."""
    requests.post(f"{process.url}/control/reset", timeout=30).raise_for_status()
    return process


def connected(sandbox: Sandbox, stream: str, login: str = API_KEY) -> Connected:
    return Connected(sandbox, "hr", stream, login, f"{sandbox.url}/hr")


def test_everybody_is_an_employee_a_job_and_a_salary(sandbox: Sandbox) -> None:
    everybody = {person(SEED, number).email for number in range(people(COMPANIES))}
    employees, gone = set(), 0
    for page in connected(sandbox, "employee").pages():
        gone += sum(record.deleted for record in page.records)
        employees |= {json.loads(record.payload)["workEmail"] for record in page.records if not record.deleted}
    assert employees <= everybody
    assert len(employees) + gone == len(everybody)
    salaries = [json.loads(record.payload) for page in connected(sandbox, "pay").pages() for record in page.records]
    assert len(salaries) == len(everybody)
    assert sum(row["rate"]["value"] == "do ustalenia" for row in salaries) == 1


def test_who_is_deleted_is_no_longer_listed_and_arrives_as_deleted(sandbox: Sandbox) -> None:
    employees = connected(sandbox, "employee")
    before = {record.key for page in employees.pages() for record in page.records if not record.deleted}
    sandbox.advance(deletions=7)
    recent = Window(datetime.now(UTC) - timedelta(hours=1), everything().end)
    records = [record for page in employees.pages(recent) for record in page.records]
    gone = {record.key for record in records if record.deleted}
    assert len(gone) == 7
    assert before - {record.key for record in records if not record.deleted} == gone


def test_nobody_deleted_is_an_empty_list_where_otherwise_an_object_stands(sandbox: Sandbox) -> None:
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    pages = connected(sandbox, "employee").pages(Window(tomorrow, tomorrow + timedelta(days=1)))
    assert pages[-1].records == []
    assert len(pages) > 3


def test_what_concerns_a_persons_life_and_pay_is_sensitive() -> None:
    streams = read_systems()["hr"].streams
    sensitive = {
        f"{name}.{field}"
        for name, stream in streams.items()
        for field, f in stream.fields.items()
        if f.personal == "sensitive"
    }
    assert sensitive == {"employee.dateOfBirth", "employee.customPESEL", "pay.rate", "pay.reason", "pay.comment"}


def test_a_wrong_key_is_fatal_and_names_the_connection(sandbox: Sandbox) -> None:
    with pytest.raises(Fatal, match=r"hr\.job.*jobInfo.*401.*connection 'hr'"):
        connected(sandbox, "job", "another-key").pages()
