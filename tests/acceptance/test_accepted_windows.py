"""Whether a stream can be asked about the past is what the catalogue says of it: seen by asking every source."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from onefold.connectors.past import unaskable
from onefold.connectors.window import Window
from onefold.load.usage import Usage
from tests.acceptance.bench import Bench
from tests.acceptance.streams import LISTING, LOOKUPS, Listed, each_stream

NOW = datetime(2026, 11, 1, tzinfo=UTC)
BEFORE_ALL = Window(datetime(2020, 1, 1, tzinfo=UTC), datetime(2020, 1, 3, tzinfo=UTC))
"""Nothing in the sandbox was changed then, and nothing will be in the other."""
AFTER_ALL = Window(datetime(2035, 1, 1, tzinfo=UTC), datetime(2035, 1, 3, tzinfo=UTC))
BEFORE_THE_REGISTERS = Window(datetime(1999, 1, 1, tzinfo=UTC), datetime(1999, 1, 3, tzinfo=UTC))
"""Companies were registered long before anything else in the sandbox."""
CANNOT = {
    "crbr.beneficiary": "look_up",
    "regon.entity": "look_up",
    "vies.number": "look_up",
    "white_list.subject": "look_up",
    "erp.towar": "row_version",
    "epuap.document": "own_way",
    "microsoft365.calendar_event": "own_way",
    "microsoft365.document": "own_way",
    "microsoft365.message": "own_way",
    "microsoft365.user": "own_way",
    "sap_service.cost_center": "own_way",
    "hr.employee": "whole_list",
    "hr.job": "whole_list",
    "hr.pay": "whole_list",
    "keycloak.group": "whole_list",
    "keycloak.user": "whole_list",
}


def read(bench: Bench, listed: Listed, window: Window) -> int:
    """How many records of the window the source gives; one whose cursor is missing belongs to none."""
    with bench.job(listed).source(listed.stream_name, Usage()) as pages:
        records = [record for page in pages(replace(window, scope="known"), None) for record in page.records]
    timed = listed.stream.cursor is not None
    return sum(not record.deleted and (not timed or record.cursor is not None) for record in records)


def test_the_streams_that_cannot_be_asked_about_the_past_are_known_with_their_reason():
    found = {
        listed.name: why.reason
        for listed in (*LISTING, *LOOKUPS)
        if (why := unaskable(listed.system, listed.stream_name, None, NOW))
    }
    assert found == CANNOT


@each_stream
def test_a_stream_gives_nothing_of_an_empty_window_exactly_when_it_can_be_asked_about_windows(
    empty_read_only: Bench, listed: Listed
):
    why = unaskable(listed.system, listed.stream_name, None, NOW)
    if listed.stream.lookup and why:  # it is asked what others name, whatever the window
        assert why.reason == "look_up"
        return
    before = BEFORE_THE_REGISTERS if listed.stream.lookup else BEFORE_ALL
    nothing = read(empty_read_only, listed, before) == read(empty_read_only, listed, AFTER_ALL) == 0
    assert nothing == (why is None)
