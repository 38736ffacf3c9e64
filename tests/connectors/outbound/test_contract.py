"""What every connector out keeps to, and what is said of a change before anything is sent."""

from __future__ import annotations

import importlib
import inspect
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
import yaml

from onefold.catalog.reader import read_systems
from onefold.connectors.outbound.applied import applied, outcome_of, unfit
from onefold.connectors.outbound.contract import Change, Current, Outbound, Outcome, Place, Result
from onefold.connectors.outbound.registry import PROTOCOLS, open_outbound
from onefold.connectors.outbound.rest.settings import rest_settings
from onefold.connectors.outbound.version import fields_version
from onefold.errors import Fatal, Retriable
from onefold.http.endpoint import Endpoint
from onefold.http.failure import NotSent, Refused, Unanswered, WriteRefused
from onefold.settings import ROOT

CREATE = Change("1", "create", "r1", None, {"name": "Jan Kowalski"})


def place(**settings: object) -> Place:
    system = read_systems()["salesforce"]
    return Place("crm", system, "Account", "Id", "Ref__c", {"name": "text"}, timedelta(minutes=1), settings=settings)


class Nothing(Outbound):
    """Writes nowhere."""

    batch = 2

    def apply(self, changes):
        return applied(self, changes, lambda change: Outcome(change.id, Result.DONE, "k"))

    def find(self, references):
        return []

    def read(self, keys):
        return []

    def match(self, field, value):
        return []

    def close(self):
        """Nothing is open."""


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_every_protocol_has_an_opener_of_the_contracts_form(protocol: str):
    module, _, name = PROTOCOLS[protocol].rpartition(".")
    parameters = inspect.signature(getattr(importlib.import_module(module), name)).parameters
    assert list(parameters) == ["place", "endpoint", "on_attempt", "settings"]


def test_a_protocol_that_nothing_is_written_by_is_named_with_those_that_there_are():
    with pytest.raises(Fatal, match=r"protocol 'kafka'.*odata_v2.*catalog/targets/crm\.yaml"):
        open_outbound("kafka", place(), Endpoint("https://example.com"), print)


@pytest.mark.parametrize(
    ("raised", "result"),
    [
        (NotSent("x"), Result.NOT_SENT),
        (Retriable("x"), Result.NOT_SENT),
        (Fatal("x"), Result.NOT_SENT),
        (Unanswered("x"), Result.AMBIGUOUS),
        (Refused("x", 400), Result.REFUSED),
        (WriteRefused("x"), Result.REFUSED),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_is_raised_for_one_change_is_its_outcome(raised: Exception, result: Result):
    def fail() -> Outcome:
        raise raised

    assert outcome_of(CREATE, fail) == Outcome("1", result, reason="x")


def test_a_change_that_says_too_little_is_refused_and_a_batch_holds_a_record_once():
    update = Change("2", "update", "r2", "k2", {})
    assert unfit(place(), update).result is Result.REFUSED
    assert unfit(place(), Change("3", "create", "", None, {})).result is Result.REFUSED
    outcomes = Nothing(place()).apply([CREATE, update])
    assert [each.result for each in outcomes] == [Result.DONE, Result.REFUSED]
    for wrong in ([CREATE, CREATE], [CREATE, Change("4", "create", "r1", None, {})], [CREATE, update, update]):
        with pytest.raises(ValueError, match=r"same|more than"):
            Nothing(place()).apply(wrong)


@pytest.mark.parametrize(
    "value", ["Jan \ud83d", Decimal("NaN"), datetime(2026, 1, 1), 1.5, b"x"], ids=lambda value: type(value).__name__
)
def test_a_value_that_can_be_written_nowhere_refuses_its_record_and_no_other(value: object):
    outcomes = Nothing(place()).apply([Change("2", "create", "r2", None, {"name": value}), CREATE])
    assert [each.result for each in outcomes] == [Result.REFUSED, Result.DONE]
    assert "name has" in outcomes[0].reason and "Jan" not in outcomes[0].reason


def test_a_change_and_a_record_show_no_values_when_they_are_printed():
    assert "Kowalski" not in repr(CREATE) + repr(Current("k", "r1", CREATE.fields, "v"))


def test_a_version_of_fields_tells_null_from_empty_and_a_number_from_its_text():
    versions = [fields_version(each) for each in ({"a": None}, {"a": ""}, {"a": "1"}, {"a": 1}, {"a": True}, {})]
    assert len(set(versions)) == len(versions)
    assert fields_version({"a": "1", "b": None}) == fields_version({"b": None, "a": "1"})


def test_the_settings_of_a_rest_interface_that_the_docs_show_are_sound():
    page = (ROOT / "docs" / "writing-out.md").read_text(encoding="utf-8")
    sample = page.split("```yaml\n")[1].split("```")[0]
    assert rest_settings(place(**yaml.safe_load(sample))).create.status == {409: "existing", 423: "not_sent"}
