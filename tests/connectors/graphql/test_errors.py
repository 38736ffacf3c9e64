"""What a GraphQL service answers as an error is told by what to do about it."""

from __future__ import annotations

import json

import pytest

from onefold.errors import Fatal, Retriable
from tests.connectors.graphql.api import Api, Connection, Object
from tests.connectors.graphql.issues import CONNECTION, issues, read, source
from tests.connectors.rest_shop import WINDOW, keys
from tests.http.web_server import Say, WebServer


def failed(code: object = None, *, data: object = None, status: int = 200, **headers: str) -> Say:
    error: Object = {"message": "someone@example.com is wrong", "path": ["issues", "edges", 3, "node", "title"]}
    error |= {"extensions": {"code": code}} if code is not None else {}
    return Say(status, json.dumps({"errors": [error]} | ({"data": data} if data else {})).encode(), headers)


def test_data_with_errors_beside_it_is_asked_for_again_and_never_taken_for_the_whole(web: WebServer) -> None:
    api = Api({"issues": Connection(issues(1, 2))})
    part = {"issues": {"pageInfo": {"hasNextPage": False, "endCursor": None}, "edges": []}}
    answers = [failed(data=part)]
    api.change = lambda _: answers.pop() if answers else None
    assert keys(read(web, api, request={"operation": "issues"}, next=CONNECTION)) == ["1", "2"]
    api.change = lambda _: failed(data=part)
    with pytest.raises(Retriable, match=r"data with errors beside it at issues\.edges\.node\.title") as error:
        read(web, api, request={"operation": "issues"}, next=CONNECTION)
    assert "someone" not in str(error.value)


@pytest.mark.parametrize("status", [200, 400])
@pytest.mark.parametrize("code", ["THROTTLED", "RATE_LIMITED", "rate-limited", 429])
def test_a_source_that_says_we_ask_too_much_is_left_alone_as_long_as_it_says(
    web: WebServer, status: int, code: object
) -> None:
    api, slept = Api({"issues": Connection(issues(1))}), list[float]()
    answers = [failed(code, status=status, **{"Retry-After": "7"})]
    api.change = lambda _: answers.pop() if answers else None
    pages = list(source(web, api, slept, request={"operation": "issues"}, next=CONNECTION)(WINDOW, None))
    assert keys(pages) == ["1"] and slept == [7.0]
    api.change = lambda _: failed(code, status=status)
    with pytest.raises(Retriable, match="we ask too much"):
        read(web, api, request={"operation": "issues"}, next=CONNECTION)


@pytest.mark.parametrize(
    ("answer", "kind", "said"),
    [
        (failed("GRAPHQL_VALIDATION_FAILED"), Fatal, "the query was refused .*GRAPHQL_VALIDATION_FAILED"),
        (failed("GRAPHQL_VALIDATION_FAILED", status=400), Fatal, "the query was refused .*GRAPHQL_VALIDATION_FAILED"),
        (failed(status=400), Fatal, "the query was refused"),
        (failed("FORBIDDEN", data={"issues": None}), Fatal, "the query was refused .*FORBIDDEN"),
        (failed("UNAUTHENTICATED"), Fatal, "Check login, password and rights of the Airflow connection 'tracker_api'"),
        (failed("INTERNAL_SERVER_ERROR"), Retriable, "the error INTERNAL_SERVER_ERROR"),
        (Say(400, b"come again"), Retriable, "we ask too much"),
        (Say(400, b"<html>no</html>"), Fatal, "refused with status 400"),
        (Say(200, b'{"errors": "no"}'), Retriable, "errors that are no list"),
        (Say(200, b'{"data": null}'), Retriable, "neither data nor errors"),
        (Say(200, b'{"data": {"issues": {"edges": [{"no'), Retriable, "cut off"),
    ],
    ids=lambda each: each if isinstance(each, str) else None,
)
def test_an_error_is_told_by_what_to_do_whatever_its_status(
    web: WebServer, answer: Say, kind: type[Exception], said: str
) -> None:
    api = Api({"issues": Connection(issues(1))})
    api.change = lambda _: answer
    with pytest.raises(kind, match=said) as error:
        read(web, api, request={"operation": "issues"}, next=CONNECTION)
    assert "someone" not in str(error.value)
