"""What a user may fill into the form of a sync."""

from __future__ import annotations

import runpy
from datetime import UTC, datetime

import pytest
from airflow.sdk.definitions.param import ParamsDict
from airflow.sdk.exceptions import AirflowException

from onefold.errors import Fatal
from onefold.orchestration.forms import instant, needed_instant
from onefold.settings import ROOT


@pytest.fixture(scope="module")
def params() -> ParamsDict:
    """The parameters of a sync DAG."""
    return runpy.run_path(str(ROOT / "dags" / "sync.py"))["sync__salesforce"].params


def test_an_empty_form_is_right(params: ParamsDict) -> None:
    assert params.validate() == {"start": None, "end": None, "accept_deletes": None, "anew": None}


def test_instants_with_a_zone_are_right(params: ParamsDict) -> None:
    given = ParamsDict(params)
    given["start"] = "2026-01-01T00:00:00Z"
    given["end"] = "2026-02-01T00:00:00+01:00"
    assert given.validate()["start"] == "2026-01-01T00:00:00Z"


def test_a_day_alone_is_its_midnight(params: ParamsDict) -> None:
    given = ParamsDict(params)
    given["start"] = "2026-01-01"
    assert instant(given.validate()["start"]) == datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize("wrong", ["yesterday", "2026-13-01T00:00:00Z", 20260101, "2026-01-01 25:00"])
def test_what_is_not_an_instant_is_refused(params: ParamsDict, wrong: object) -> None:
    given = ParamsDict(params)
    with pytest.raises((AirflowException, ValueError)):
        given["start"] = wrong
        given.validate()


@pytest.mark.parametrize("wrong", ["2026-02-30", "0001-01-01T00:00:00+01:00"])
def test_an_instant_that_there_is_not_is_refused_and_says_how_to_write_one(params: ParamsDict, wrong: str) -> None:
    given = ParamsDict(params)
    given["start"] = wrong
    with pytest.raises(Fatal, match=r"is not an instant\. Write it like"):
        instant(given.validate()["start"])


@pytest.mark.parametrize("nothing", [None, ""])
def test_where_both_ends_are_needed_nothing_is_refused(nothing: str | None) -> None:
    with pytest.raises(Fatal, match="From and to are both needed"):
        needed_instant(nothing)
