"""onefold backfill refuses what cannot be, before it talks to anybody; and it covers what was asked for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from click.testing import CliRunner

from onefold.commands.backfill import _intervals, _next, _summary
from onefold.commands.main import cli
from onefold.errors import Fatal

DAY = datetime(2026, 9, 8, tzinfo=UTC)
FAR = f"{datetime.now(UTC) + timedelta(days=2):%F}"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("backfill", "nbp", "--from", "2026-02-01", "--to", "2026-01-01"), "is not before --to 2026-01-01: swap them"),
        (("backfill", "nbp", "--from", "2026-02-01", "--to", "2026-02-01"), "is not before --to 2026-02-01: swap them"),
        (("backfill", "nbp", "--from", "2026-02-30", "--to", "2026-03-01"), "'2026-02-30' is not an instant. Write it"),
        (("backfill", "nbp", "--from", "2026-02-01", "--to", FAR), f"--to {FAR} is in the future"),
        (("backfill", "npb", "--from", "2026-02-01", "--to", "2026-03-01"), "no system 'npb'.* did you mean \"nbp\""),
        (
            ("backfill", "nbp", "--from", "2001-12-31", "--to", "2026-03-01"),
            "goes back to 2002-01-02 and not to 2001-12-31",
        ),
        (
            ("backfill", "vies", "--from", "2026-02-01", "--to", "2026-03-01"),
            "vies.number is asked about single values",
        ),
        (("backfill", "hr", "--from", "2026-02-01", "--to", "2026-03-01"), "No stream of hr can be asked about that"),
        (("sync", "hr", "--from", "2026-02-01"), "No stream of hr can be asked about that"),
        (("sync", "nbp", "--from", "2026-02-01", "--to", "2026-01-01"), "is not before --to 2026-01-01: swap them"),
        (("sync", "nbp", "--to", FAR), "is in the future"),
    ],
)
def test_what_cannot_be_asked_is_refused_before_anything_is_touched(
    words: tuple[str, ...], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("onefold.platform.api.AirflowApi.__init__", lambda *_: pytest.fail("Airflow was asked"))
    with pytest.raises(Fatal, match=said):
        CliRunner().invoke(cli, words, catch_exceptions=False, standalone_mode=False)


@pytest.mark.parametrize("schedule", ["0 * * * *", "30 12 * * *", "*/30 * * * *", "45 2 * * *"])
@pytest.mark.parametrize("start", [DAY, DAY + timedelta(minutes=10, seconds=30), DAY + timedelta(hours=12, minutes=30)])
@pytest.mark.parametrize("length", [timedelta(seconds=1), timedelta(hours=12, minutes=30), timedelta(days=3)])
def test_the_intervals_cover_the_window_and_no_more(schedule: str, start: datetime, length: timedelta) -> None:
    end = start + length
    first, last = _intervals(schedule, start, end)
    assert first <= start < _next(schedule, first)
    assert last < end <= _next(schedule, last)


def test_its_end_says_how_many_runs_have_loaded_which_window() -> None:
    report = {"dag_id": "sync__nbp", "from": "2026-09-07T12:30:00Z", "to": "2026-09-09T12:30:00Z"}
    said = _summary({**report, "runs": 3, "succeeded": 2})
    assert said == "2 of 3 runs of sync__nbp have loaded [2026-09-07T12:30:00Z, 2026-09-09T12:30:00Z)."
