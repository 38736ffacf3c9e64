"""What is sent with a POST: JSON whose values keep their types, a text, or a form."""

from __future__ import annotations

import json
from urllib.parse import parse_qs

import pytest

from onefold.catalog.request import Request
from onefold.connectors.past import names_window
from tests.connectors.rest_shop import WINDOW, body, keys, shop
from tests.connectors.tracker import TICKET, Tracker, tracker
from tests.http.web_server import Say, WebServer

SEARCH = {
    "limit": 100,
    "exact": True,
    "none": None,
    "filter": [{"from": "{start}", "until": "to {end_unix}"}, {"since": "{start_unix}", "share": 0.5}],
}


def test_a_body_keeps_its_types_and_a_time_as_a_number_is_one(web: WebServer) -> None:
    web.answer = lambda _: body(1)
    assert keys(shop(web, request={"path": "/search", "method": "POST", "body": SEARCH})(WINDOW, None)) == ["1"]
    asked = web.asked[0]
    assert asked.headers["Content-Type"] == "application/json"
    assert json.loads(asked.body) == {
        "limit": 100,
        "exact": True,
        "none": None,
        "filter": [
            {"from": "2026-01-01T00:00:00Z", "until": "to 1767312000"},
            {"since": 1767225600, "share": 0.5},
        ],
    }


def test_a_form_is_sent_as_one(web: WebServer) -> None:
    web.answer = lambda asked: body(*([1] if b"page=1" in asked.body else []))
    request = {"path": "/search", "method": "POST", "form": {"q": "a&b=ł", "since": "{start}"}}
    following = {"kind": "number", "parameter": "page", "place": "body"}
    assert keys(shop(web, request=request, next=following)(WINDOW, None)) == ["1"]
    asked = web.asked[0]
    assert asked.headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert parse_qs(asked.body.decode()) == {"q": ["a&b=ł"], "since": ["2026-01-01T00:00:00Z"], "page": ["1"]}
    assert len(web.asked) == 2


def test_the_next_page_is_asked_for_within_a_body(web: WebServer) -> None:
    web.answer = lambda asked: body(2) if json.loads(asked.body)["page"].get("after") else body(1, next=7)
    request = {"path": "/search", "method": "POST", "body": {"page": {"size": 1}}}
    following = {"kind": "token", "path": "next", "parameter": "page.after", "place": "body"}
    assert keys(shop(web, request=request, next=following)(WINDOW, None)) == ["1", "2"]
    assert [json.loads(asked.body) for asked in web.asked] == [{"page": {"size": 1}}, {"page": {"size": 1, "after": 7}}]


def test_a_parents_value_keeps_its_type_and_breaks_no_body(web: WebServer) -> None:
    source = Tracker(web)
    source.answers = {
        "/projects": Say(body=b'{"data": [{"id": 12345678901234567890}, {"id": "a\\"b"}], "next": null}'),
        "/search": Say(body=b'{"data": [{"id": "1"}], "next": null}'),
    }
    for request in (
        {"body": {"project": "{project_id}", "named": "no. {project_id}"}},
        {"body": '{"project": "{project_id}", "named": "no. {project_id}"}'},
        {"form": {"project": "{project_id}"}},
    ):
        web.asked.clear()
        system = tracker(**TICKET | {"request": {"path": "/search", "method": "POST", **request}})
        list(source.reader(system)(WINDOW, None))
        sent = [asked.body for asked in web.asked if asked.path == "/search"]
        if "form" in request:
            assert [parse_qs(each.decode()) for each in sent] == [
                {"project": ["12345678901234567890"]}, {"project": ['a"b']}
            ]  # fmt: skip
            continue
        number = 12345678901234567890 if isinstance(request["body"], dict) else "12345678901234567890"
        assert [json.loads(each) for each in sent] == [
            {"project": number, "named": "no. 12345678901234567890"},
            {"project": 'a"b', "named": 'no. a"b'},
        ]


def test_a_window_within_a_body_is_a_window() -> None:
    assert names_window(Request(method="POST", body={"a": ["{start}"], "b": {"c": "{end}"}}))
    assert names_window(Request(method="POST", form={"a": "{start}", "b": "{end}"}))
    assert not names_window(Request(method="POST", body={"a": ["{start}"]}))


@pytest.mark.parametrize(
    ("request_", "said"),
    [
        ({"method": "POST", "body": {}, "form": {"a": "b"}}, "either body or form"),
        ({"form": {"a": "b"}}, "add method: POST"),
        ({"body": {"a": 1}}, "add method: POST"),
    ],
)
def test_what_cannot_be_true_of_a_body_is_refused(request_: dict[str, object], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Request.model_validate(request_)
