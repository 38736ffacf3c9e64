"""The record of processing names every stream with personal fields, and says of it what Article 30(1) GDPR asks."""

from __future__ import annotations

import json

from click.testing import CliRunner

from onefold.catalog.data_protection import check_data_protection, personal_classes
from onefold.catalog.reader import read_catalog
from onefold.commands.privacy import privacy
from onefold.insight.processing_record import make_processing_record

CATALOG = read_catalog()


def test_every_stream_with_personal_fields_is_in_one_activity_with_all_its_fields() -> None:
    made = make_processing_record(CATALOG, check_data_protection(CATALOG))
    there = {stream.stream: stream.data for activity in made.activities for stream in activity.streams}
    assert sum(len(activity.streams) for activity in made.activities) == len(there)
    assert there == {
        f"{system.system}.{name}": classes
        for system in CATALOG.systems.values()
        for name, stream in system.streams.items()
        if (classes := personal_classes(stream))
    }


def test_each_activity_says_what_the_article_asks() -> None:
    made = json.loads(CliRunner().invoke(privacy, ["record", "--json"]).output)
    assert made["controller"]
    assert made["safeguards"]
    for activity in made["activities"]:
        assert all(activity[part] for part in ("purpose", "legal_basis", "persons", "recipients", "streams")), activity
        assert activity["law"] or activity["legal_basis"].startswith(("Art. 6(1)(a)", "Art. 6(1)(b)"))
    (pay,) = [each for each in made["activities"] if each["purpose"].startswith("Pay wages")]
    assert pay["streams"][0]["days_after_deletion"] == 3650
    assert pay["streams"][0]["entities"] == ["employee"]


def test_it_is_one_readable_page_too() -> None:
    page = CliRunner().invoke(privacy, ["record"]).output
    assert "## HR and payroll (BambooHR): Employ people" in page
    assert "| Legal basis | Art. 6(1)(c) legal obligation: Labour Code" in page
    assert "replaced versions after 2,190 days, names, addresses and contact data in them after 730;" in page
