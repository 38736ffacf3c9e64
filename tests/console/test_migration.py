"""A migration is asked for in a form: what is wrong is said beside its field, what is right is started."""

from __future__ import annotations

import runpy
from copy import deepcopy
from datetime import UTC, datetime, timedelta

import psycopg
from airflow.sdk import DAG
from airflow.sdk.definitions.param import ParamsDict
from lxml import html

from onefold.catalog.reader import read_systems
from onefold.migration.ledger import begin
from onefold.migration.plan import make_plan
from onefold.migration.request import MigrationRequest
from onefold.settings import ROOT
from tests.console.airflow import RUN, Airflow
from tests.console.conftest import SAME_SITE, Ask
from tests.roles import as_role

FORM = "/operations/migration"
RIGHT = {
    "system": "salesforce",
    "stream": "order",
    "start": "2025-01-01T00:00",
    "end": "2025-03-01T00:00",
    "chunk": "30",
    "mode": "incremental",
    "reason": "the years before us",
}


def params_of_the_dag() -> ParamsDict:
    found = (getattr(each, "dag", None) for each in runpy.run_path(str(ROOT / "dags" / "migrate.py")).values())
    return next(each for each in found if isinstance(each, DAG)).params


def wrong(page: str) -> dict[str, str]:
    """By the field that it stands beside, what is said to be wrong."""
    found = html.fromstring(page)
    marked = found.xpath("//*[@aria-invalid='true']/@aria-describedby")
    return {name.removeprefix("wrong-"): found.get_element_by_id(name).text_content() for name in marked}


def test_the_form_asks_what_the_dag_asks_and_marks_what_it_needs(console: Ask) -> None:
    page = html.fromstring(console("engineer").get(f"{FORM}?system=salesforce&stream=order").text)
    fields = page.xpath("//form[@method='post']//*[@name and not(@type='hidden')]")
    required = {each.get("name") for each in fields if each.get("required") is not None}
    asked = {"stream": "streams", "start": "from", "end": "to", "chunk": "chunk_days"}
    names = {"system"} | {asked.get(each.get("name"), each.get("name")) for each in fields}
    params = params_of_the_dag()
    assert names == set(params) and required == {"start", "end", "chunk", "reason"}
    assert page.xpath("//select[@name='mode']/option/@value") == params.get_param("mode").schema["enum"]
    (chunk,) = page.xpath("//input[@name='chunk']")
    assert {name: int(chunk.get(name[:3])) for name in ("minimum", "maximum")} == {
        name: params.get_param("chunk_days").schema[name] for name in ("minimum", "maximum")
    }
    assert page.xpath("//input[@name='stream' and @checked]/@value") == ["order"]
    streams = page.xpath("//input[@name='stream']/@value")
    assert streams == list(read_systems()["salesforce"].streams)


def test_a_stream_that_cannot_be_asked_about_the_past_cannot_be_ticked_and_says_why(console: Ask) -> None:
    page = html.fromstring(console("engineer").get(f"{FORM}?system=white_list").text)
    disabled = page.xpath("//label[.//input[@name='stream' and @disabled]]")
    assert disabled and all("cannot be asked about a window" in each.text_content() for each in disabled)


def test_a_migration_is_started_in_the_viewers_name_with_the_parameters_of_its_dag(
    console: Ask, airflow: Airflow, warehouse_url: str
) -> None:
    client = console("engineer")
    told = client.post(f"{FORM}/estimate", data=RIGHT, headers=SAME_SITE)
    assert told.status_code == 200 and "2 chunks a stream" in told.text and airflow.asked == []
    sent = client.post(FORM, data=RIGHT, headers=SAME_SITE)
    conf = {
        "system": "salesforce",
        "streams": ["order"],
        "from": "2025-01-01T00:00:00+00:00",
        "to": "2025-03-01T00:00:00+00:00",
        "chunk_days": 30,
        "mode": "incremental",
        "service_window": None,
        "rate": None,
        "reason": "the years before us",
    }
    assert airflow.asked == [("ewa.nowa", "a token"), ("migrate", conf)]
    params = deepcopy(params_of_the_dag())
    params.update(conf)
    assert params.validate() == conf
    where = sent.headers["location"]
    assert sent.status_code == 303 and "data-poll" in client.get(where).text
    request = MigrationRequest(
        system="salesforce",
        streams=("order",),
        start=datetime(2025, 1, 1, tzinfo=UTC),
        end=datetime(2025, 3, 1, tzinfo=UTC),
        chunk=timedelta(days=30),
        reason="the years before us",
    )
    with psycopg.connect(as_role(warehouse_url, "onefold_loader"), autocommit=True) as loader:
        planned = make_plan(loader, read_systems(), request)
        begin(loader, request, planned, f"airflow:by:ewa.nowa/migrate/{RUN}", RUN)
    assert client.get(where).headers["location"] == "/operations/migration/1"
    assert "(queued)" in client.get("/operations/migration/1").text


SOON = f"{datetime.now(UTC) + timedelta(days=2):%Y-%m-%dT00:00}"


WRONG = (
    ({"system": "none"}, "system", "There is no system"),
    ({"stream": "none"}, "streams", "has no stream none"),
    ({"start": ""}, "start", "both needed"),
    ({"start": "yesterday"}, "start", "is not an instant"),
    ({"end": "<b>"}, "end", "is not an instant"),
    ({"end": "2024-01-01T00:00"}, "start", "is not before"),
    ({"end": SOON}, "end", "in the future"),
    ({"chunk": "0"}, "chunk", "from 1 to 3,660"),
    ({"chunk": "1.5"}, "chunk", "from 1 to 3,660"),
    ({"mode": "at night"}, "mode", "Choose one of"),
    ({"mode": "service_window"}, "service_window", "belong together"),
    ({"service_window": "22:00-05:00"}, "service_window", "belong together"),
    ({"mode": "service_window", "service_window": "at night"}, "service_window", "no service window"),
    ({"rate": "fast"}, "rate", "is no rate"),
    ({"reason": "x"}, "reason", "Say why"),
)


def test_what_is_wrong_is_said_beside_its_field_and_nothing_is_started(console: Ask, airflow: Airflow) -> None:
    for form, field, said in WRONG:
        for path in (FORM, f"{FORM}/estimate"):
            sent = console("engineer").post(path, data=RIGHT | form, headers=SAME_SITE)
            found = wrong(sent.text)
            assert sent.status_code == 400 and list(found) == [field] and said in found[field], form
            assert "<b>" not in sent.text
    assert airflow.asked == []


def test_all_that_is_wrong_with_what_was_written_is_said_at_once(console: Ask) -> None:
    form = RIGHT | {"start": "", "chunk": "none", "reason": ""}
    assert set(wrong(console("engineer").post(FORM, data=form, headers=SAME_SITE).text)) == {"start", "chunk", "reason"}


def test_only_an_engineer_on_our_own_page_starts_a_migration(console: Ask, airflow: Airflow) -> None:
    for duty in ("approver", "auditor", "analyst"):
        assert console(duty).get(FORM).status_code == 403
        for path in (FORM, f"{FORM}/estimate"):
            assert console(duty).post(path, data=RIGHT, headers=SAME_SITE).status_code == 403
    for headers in ({}, {"Origin": "http://evil.example"}, {"Sec-Fetch-Site": "same-site"}):
        for path in (FORM, f"{FORM}/estimate"):
            assert console("engineer").post(path, data=RIGHT, headers=headers).status_code == 403
    assert airflow.asked == []
