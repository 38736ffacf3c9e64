"""Streams that are listed for each record of another: every parent is asked to its end, and what is gone is deleted."""

from __future__ import annotations

import json
import tracemalloc
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import psycopg
import pytest

from onefold.catalog.ignored_settings import ignored_settings
from onefold.connectors.page import Page
from onefold.connectors.record import Record
from onefold.connectors.rest import child_place
from onefold.connectors.rest.children import children_reader
from onefold.connectors.window import BEGINNING, Window
from onefold.errors import Fatal, Retriable
from onefold.http.failure import Refused
from tests.connectors.rest_shop import keys
from tests.connectors.tracker import PROJECT, SUITE, TICKET, Tracker, tracker
from tests.http.web_server import Asked, Say, WebServer

WINDOW = Window(BEGINNING, datetime(2026, 2, 1, tzinfo=UTC))
LATER = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture
def source(web: WebServer) -> Tracker:
    return Tracker(web, {"A": 1, "B": 2, "C": 3}, {"A": [1, 2, 3], "B": [], "C": [1]})


def checkpoints(pages: list[Page]) -> dict[str, str]:
    return {each.name: each.checkpoint for page in pages for each in page.ended if each.checkpoint is not None}


def deleted(pages: list[Page]) -> list[str]:
    """The partitions that were read whole and have no record."""
    filled = {json.loads(key)[0] for key in keys(pages) if key}
    return [each.name for page in pages for each in page.ended if each.snapshot_since and each.name not in filled]


def test_every_parent_is_asked_to_its_end_and_its_values_are_in_each_record(source: Tracker) -> None:
    found = list(source.reader(tracker())(WINDOW, None))
    assert keys(found) == ['["A","1"]', '["A","2"]', '["A","3"]', '["C","1"]']
    assert json.loads(found[0].records[0].payload) == {"project_id": "A", "id": "1"}
    assert source.asked() == ["A 0", "A 2", "B 0", "C 0"]
    assert [each.name for page in found for each in page.ended if each.snapshot_since] == ["A", "B", "C"]
    assert found[-1].token is None
    assert {each.path for each in source.attempts} == {"/projects", "/projects/{project_id}/tickets"}, "no id is logged"


def test_values_are_written_where_the_request_has_them_and_change_nothing_else_of_it(source: Tracker) -> None:
    odd = 'a/b ?&#"{}ł'
    source.projects = {odd: 1}
    source.tickets = {}
    source.answers = {"/list": Say(body=b'{"data": [{"id": 1}]}')}
    request = {
        "path": "/list", "method": "POST", "params": {"of": "{project_id}", "until": "{end}"},
        "body": '{"project": "{project_id}", "since": "{start}"}',
    }  # fmt: skip
    assert keys(source.reader(tracker(request=request))(WINDOW, None)) == [
        json.dumps([odd, "1"], separators=(",", ":"), ensure_ascii=False)
    ]
    asked = source.web.asked[-1]
    assert asked.params == {"of": odd, "until": "2026-02-01T00:00:00Z"}
    assert json.loads(asked.body) == {"project": odd, "since": "1970-01-01T00:00:00Z"}
    source.tickets = {"Łódź x": [1]}
    source.projects = {"Łódź x": 1}
    assert keys(source.reader(tracker())(WINDOW, None)) == ['["Łódź x","1"]']


@pytest.mark.parametrize("name", ["..", ".", "{start}"])
def test_a_parent_whose_value_cannot_be_asked_for_is_told_and_stops_no_other(source: Tracker, name: str) -> None:
    source.projects = {"A": 1, name: 2}
    found = list(source.reader(tracker())(WINDOW, None))
    assert source.asked() == ["A 0", "A 2"]
    (odd,) = [each for page in found for each in page.ended if each.refused]
    assert odd.name == name and odd.snapshot_since is None and "it cannot be asked about" in odd.refused


def test_after_a_crash_no_parent_and_no_page_is_asked_again(source: Tracker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child_place, "RECORDS", 1)
    read = source.reader(tracker())
    whole = list(read(WINDOW, None))
    requests = source.asked()
    for done, page in enumerate(whole[:-1], start=1):
        rest = list(source.reader(tracker())(WINDOW, page.token))
        assert keys(whole[:done]) + keys(rest) == keys(whole)
        asked = source.asked()
        assert asked == requests[len(requests) - len(asked) :], "what was not read yet, in the same order"
        assert len(asked) <= len(requests) - done
        since = {each.name: each.snapshot_since for page in whole[:done] for each in page.ended}
        since |= {each.name: each.snapshot_since for page in rest for each in page.ended}
        assert since.keys() == {"A", "B", "C"}
        first = next(page.extracted_at for page in whole if page.records)
        assert since["A"] <= first, "what was read before the crash counts as there"


def test_what_was_read_before_an_error_is_given_before_it(source: Tracker) -> None:
    source.answers = {"/projects/C/tickets": Say(500)}
    read = source.reader(tracker())(WINDOW, None)
    page = next(read)
    assert keys([page]) == ['["A","1"]', '["A","2"]', '["A","3"]']
    with pytest.raises(Retriable, match=r"/projects/\{project_id\}/tickets failed 2 times"):
        next(read)
    source.answers = {}
    source.asked()
    assert keys(source.reader(tracker())(WINDOW, page.token)) == ['["C","1"]']
    assert source.asked() == ["C 0"]


def test_a_refused_parent_is_an_error_unless_the_yaml_says_what_it_means(source: Tracker) -> None:
    del source.tickets["B"]
    source.answers = {"/projects/C/tickets": Say(403)}
    with pytest.raises(Refused, match=r"status 404.*parent: \{gone: \[404\]\} or \{unreadable: \[404\]\}"):
        list(source.reader(tracker())(WINDOW, None))
    parent = {**TICKET["parent"], "gone": [404], "unreadable": [403]}
    found = list(source.reader(tracker(parent=parent))(WINDOW, None))
    assert keys(found) == ['["A","1"]', '["A","2"]', '["A","3"]']
    assert deleted(found) == ["B"]
    (refused,) = [each for page in found for each in page.ended if each.refused]
    assert (refused.name, refused.refused) == ("C", "its records may not be read: status 403")
    assert refused.snapshot_since is None, "what was read of it before stays"


def test_a_path_under_which_no_parent_is_found_deletes_nothing(source: Tracker) -> None:
    source.tickets = {}
    parent = {**TICKET["parent"], "gone": [404]}
    with pytest.raises(Fatal, match=r"every project that is listed \(3\) was answered with a status that parent\.gone"):
        list(source.reader(tracker(parent=parent))(WINDOW, None))
    source.answers = {f"/projects/{name}/tickets": Say(403) for name in "ABC"}
    with pytest.raises(Fatal, match=r"not one project could be read \(3 were refused\)"):
        list(source.reader(tracker(parent={**parent, "unreadable": [403]}))(WINDOW, None))


def test_the_records_of_a_parent_that_is_gone_or_no_longer_listed_are_deleted(source: Tracker) -> None:
    before = checkpoints(list(source.reader(tracker())(WINDOW, None)))
    del source.projects["A"]
    source.flagged.add("C")
    found = list(source.reader(tracker())(Window(WINDOW.end, LATER, before), None))
    assert sorted(deleted(found)) == ["A", "B", "C"], "B is read, and has none"
    assert source.asked()[-1] == "B 0"
    assert checkpoints(found).keys() == {"B"}


def test_no_parent_is_taken_for_gone_where_some_record_of_the_listing_is_unknown(source: Tracker) -> None:
    before = checkpoints(list(source.reader(tracker())(WINDOW, None)))
    source.projects = {"B": 1, "": 1}
    assert deleted(list(source.reader(tracker())(Window(WINDOW.end, LATER, before), None))) == ["B"]
    source.projects, source.tickets["B"] = {"B": 1}, [{"text": "without id"}]
    found = list(source.reader(tracker())(Window(WINDOW.end, LATER, before), None))
    assert deleted(found) == ["B"] and checkpoints(found)[""] == "anew", "the gate deletes nothing in such a load"


def test_a_record_that_slipped_between_two_pages_is_not_taken_for_deleted(source: Tracker) -> None:
    source.tickets["A"] = [1, 2, 3, 4, 5]
    before = checkpoints(list(source.reader(tracker())(WINDOW, None)))
    source.asked()
    answer = source.web.answer

    def shifting(asked: Asked) -> Say:
        said = answer(asked)
        if asked.path == "/projects/A/tickets" and not asked.params and "1" in str(source.tickets["A"]):
            source.tickets["A"] = [2, 3, 4, 5]  # 3 moves to the page that has been read
        return said

    source.web.answer = shifting
    found = list(source.reader(tracker())(Window(WINDOW.end, LATER, before), None))
    assert set(keys(found)) >= {f'["A","{each}"]' for each in range(2, 6)}
    assert source.asked() == ["A 0", "A 2", "A 0", "A 2", "B 0", "C 0"]
    (since,) = [each.snapshot_since for page in found for each in page.ended if each.name == "A"]
    assert all(page.extracted_at >= since for page in found), "both readings count"


def test_a_parent_that_slipped_between_two_pages_is_not_taken_for_gone(source: Tracker) -> None:
    source.projects["D"], source.tickets["D"] = 4, []
    before = checkpoints(list(source.reader(tracker())(WINDOW, None)))
    answer = source.web.answer

    def shifting(asked: Asked) -> Say:
        said = answer(asked)
        if asked.path == "/projects" and not asked.params:
            source.projects.pop("A", None)  # C moves to the page that has been read
        return said

    source.web.answer = shifting
    found = list(source.reader(tracker())(Window(WINDOW.end, LATER, before), None))
    assert checkpoints(found).keys() == {"A", "B", "C", "D"}, "A was there when it was listed"
    found = list(source.reader(tracker())(Window(WINDOW.end, LATER, before), None))
    assert [each.name for page in found for each in page.ended if each.checkpoint is None] == ["A"]


def test_a_parent_that_is_changed_while_it_is_listed_is_not_taken_for_gone(source: Tracker) -> None:
    request = {"path": "/projects", "params": {"until": "{end}"}}
    before = checkpoints(list(source.reader(tracker())(WINDOW, None)))
    system = tracker({"project": {**PROJECT, "request": request}})
    now = datetime.now(UTC)
    list(source.reader(system)(Window(WINDOW.end, now, before), None))
    until = next(asked.params["until"] for asked in source.web.asked if "until" in asked.params)
    assert datetime.fromisoformat(until) > now


CHANGED = {**TICKET["parent"], "changed": True, "unreadable": [403]}


@pytest.mark.parametrize("since", [{}, {"since": "{first_day}"}])
def test_with_changed_only_parents_that_have_changed_are_asked(source: Tracker, since: dict[str, str]) -> None:
    system = tracker({"project": {**PROJECT, "request": {"path": "/projects", "params": since}}}, parent=CHANGED)
    source.answers = {"/projects/B/tickets": Say(403)}
    before = checkpoints(list(source.reader(system)(WINDOW, None)))
    assert source.asked() == ["A 0", "A 2", "B 0", "C 0"]
    window = Window(datetime(2026, 1, 3, tzinfo=UTC), LATER, before)
    source.answers = {}
    found = list(source.reader(system)(window, None))
    assert source.asked() == ["B 0"], "which could not be read before, though it has not changed"
    source.projects["A"], source.tickets["A"] = 9, [1]
    found = list(source.reader(system)(Window(window.start, LATER, before | checkpoints(found)), None))
    assert source.asked() == ["A 0"] and keys(found) == ['["A","1"]']
    assert [each.name for page in found for each in page.ended if each.snapshot_since] == ["A"]
    anew = before | checkpoints(found) | {"": "anew"}
    list(source.reader(system)(Window(window.start, LATER, anew), None))
    assert source.asked() == ["A 0", "B 0", "C 0"], "after a load that could not tell whose a record is"
    list(source.reader(system)(Window(BEGINNING, LATER), None))
    assert source.asked() == ["A 0", "B 0", "C 0"], "in a run that names its window"


def test_a_listing_by_window_deletes_nothing_of_a_parent_that_is_there(source: Tracker) -> None:
    request = {"path": "/projects/{project_id}/tickets", "params": {"from_day": "{start}"}}
    before = checkpoints(list(source.reader(tracker(request=request))(WINDOW, None)))
    del source.projects["C"]
    found = list(source.reader(tracker(request=request))(Window(WINDOW.end, LATER, before), None))
    assert [each.name for page in found for each in page.ended if each.snapshot_since] == ["C"]


def test_a_record_that_says_that_it_is_another_parents_goes_to_quarantine(source: Tracker) -> None:
    source.tickets["C"] = [{"id": 1, "project_id": "C"}, {"id": 2, "project_id": "A"}]
    found = list(source.reader(tracker())(WINDOW, None))
    assert keys(found)[-2:] == ['["C","1"]', None]


def test_a_childs_children_are_asked_for_by_what_both_have_given_it(source: Tracker) -> None:
    comment = {
        **TICKET,
        "parent": {"stream": "ticket", "fill": {"ticket_id": "id", "project_id": "project_id"}},
        "request": {"path": "/comments/{project_id}/{ticket_id}/tickets"},
        "primary_key": ["ticket_id", "id"],
        "fields": {"ticket_id": "text", "project_id": "text", "id": "text"},
    }
    source.tickets = {"A": [1, 2], "B": [], "C": [2]}
    say = {f"/comments/{each}/tickets": Say(body=b'{"data": [{"id": 7}]}') for each in ("A/1", "A/2", "C/2")}
    source.answers = say
    system = tracker({"comment": comment})
    found = list(source.reader(system, "comment")(WINDOW, None))
    assert [json.loads(record.payload)["project_id"] for page in found for record in page.records] == ["A", "A", "C"]
    assert keys(found) == ['["1","7"]', '["2","7"]', '["2","7"]']
    ended = [each for page in found for each in page.ended if each.snapshot_since]
    assert [each.name for each in ended] == ["1", "2"], "two tickets share a number: they are one partition"


@pytest.mark.parametrize(
    ("streams", "ticket", "said"),
    [
        ({}, {"parent": {**TICKET["parent"], "stream": "projekt"}}, 'no stream "projekt"; did you mean "project"'),
        ({}, {"parent": {"stream": "ticket", "fill": {"project_id": "id"}}}, "circle (ticket → ticket)"),
        ({"project": {**TICKET, "parent": {"stream": "ticket", "fill": {"project_id": "id"}}}}, {}, "lead in a circle"),
        ({}, {"parent": {"stream": "project", "fill": {"project_id": "number"}}}, 'project has no field "number"'),
        ({}, {"parent": {"stream": "project", "fill": {"end": "id"}}}, "{end} is filled in by Onefold"),
        ({}, {"request": {"path": "/tickets"}}, "nothing in request has {project_id}"),
        ({}, {"primary_key": ["id"]}, "the first field of primary_key must be one that parent.fill gives"),
        ({}, {"fields": {"id": "text"}, "primary_key": ["id"]}, "gets 'project_id', which is not under fields"),
        ({}, {"parent": {**TICKET["parent"], "gone": [401]}}, "401 says nothing of a parent"),
        ({}, {"parent": {**TICKET["parent"], "gone": [404], "unreadable": [404]}}, "404 is under gone and under un"),
        ({"project": {**PROJECT, "cursor": None}}, {"parent": CHANGED}, "changed needs a cursor in project"),
    ],
)  # fmt: skip
def test_what_cannot_be_true_of_a_parent_is_refused(
    streams: dict[str, object], ticket: dict[str, object], said: str
) -> None:
    with pytest.raises(ValueError, match="(?s)" + said.replace("(", r"\(").replace(")", r"\)")):
        tracker(streams, **ticket)


def test_a_protocol_that_reads_no_parents_refuses_them_and_what_they_fill_is_a_placeholder() -> None:
    ticket = tracker().streams["ticket"]
    assert [name for name, _ in ignored_settings("odata", ticket)] == ["next.kind", "next.path", "parent"]
    assert list(ignored_settings("rest", ticket)) == []
    odd = tracker(request={"path": "/projects/{project_id}/{ticket}"}).streams["ticket"]
    assert [text for _, text in ignored_settings("rest", odd) if "{ticket} would be sent as it stands" in text]


def test_parents_are_not_held_in_memory_however_many_there_are() -> None:
    system = tracker()

    def parents(window: Window, token: str | None) -> object:
        for first in range(0, 3000, 300):
            records = [
                Record(str(each), "", False, msgspec.json.encode({"id": str(each), "more": "x" * 2000}))
                for each in range(first, first + 300)
            ]
            yield Page(records, LATER, None)

    def listing(request: object, values: object) -> object:
        return lambda window, token: iter([Page([], LATER, None)])

    read = children_reader(system, "ticket", parents, listing)
    tracemalloc.start()
    ended = sum(len(page.ended) for page in read(WINDOW, None))
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert ended == 3000
    assert most < 3 << 20, f"{most >> 20} MiB, where all parents have 6"


def test_a_load_deletes_what_a_parent_lacks_and_all_of_a_parent_that_is_gone(
    source: Tracker, loader_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ONEFOLD_HOME", str(tmp_path / "home"))
    (tmp_path / "tracker__ticket.yaml").write_text(SUITE)
    parent = {**TICKET["parent"], "gone": [404], "unreadable": [403]}
    system = tracker(parent=parent)
    source.projects["D"], source.tickets["D"] = 4, [1]

    def current() -> list[str]:
        with psycopg.connect(loader_url) as connection:
            query = "select _key from staging.tracker__ticket__current where not _deleted order by 1"
            return [key for (key,) in connection.execute(query).fetchall()]

    source.load(system, loader_url, tmp_path)
    assert current() == ['["A","1"]', '["A","2"]', '["A","3"]', '["C","1"]', '["D","1"]']
    source.tickets["A"] = [1, 3, 4]
    source.answers = {"/projects/D/tickets": Say(403)}
    del source.projects["C"]
    load = source.load(system, loader_url, tmp_path)
    assert (load.rows_new, load.rows_deleted, load.rows_quarantined) == (1, 2, 1)
    assert current() == ['["A","1"]', '["A","3"]', '["A","4"]', '["D","1"]'], "what may not be read stays"
    source.answers = {}
    del source.tickets["D"]
    source.load(system, loader_url, tmp_path)
    assert current() == ['["A","1"]', '["A","3"]', '["A","4"]']
