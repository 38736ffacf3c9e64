"""Signs beside the records of an answer, as well-known APIs write them: of more pages, of totals, of errors."""

from __future__ import annotations

import json

import pytest
from requests.structures import CaseInsensitiveDict

from onefold.catalog.paging import NextPage
from onefold.connectors.completeness import Completeness
from onefold.errors import Fatal
from onefold.http.attempt import BadBody, Response


def seen(
    more: dict[str, object] | None = None,
    headers: dict[str, str] | None = None,
    *,
    body: bytes | None = None,
    records: int = 2,
    **following: object,
) -> Completeness:
    """What is known after one answer with two records, and `more` or these headers beside them."""
    found = Completeness("shop.item", NextPage.model_validate(following), ("items",), counts=True)
    found.start(at_the_beginning=True)
    body = body or json.dumps({"items": [{"id": "1"}, {"id": "2"}]} | (more or {})).encode()
    found.see(Response(200, CaseInsensitiveDict(headers or {}), body))
    found.count(records)
    return found


@pytest.mark.parametrize(
    "more",
    [
        {"total": 95},
        {"total": "95"},
        {"total": 95.0},
        {"count": 95},  # Django REST framework
        {"@odata.count": 95},
        {"meta": {"pagination": {"total": 95}}},
        {"hits": {"total": {"value": 95, "relation": "eq"}}},
        {"result_info": {"total_count": 95, "count": 2}},
        {"page": 1, "total_pages": 4},
        {"page": 1, "pages": 4},
        {"current_page": 1, "last_page": 4},
        {"response_metadata": {"next_cursor": "dXNlcjpV"}},
        {"paging": {"next": {"after": "NTI1"}}},
        {"last": False},
        {"done": False},
        {"incomplete_results": True},
        {"has_more": "true"},
        {"additional_data": {"pagination": {"more_items_in_collection": True}}},
        {"next": "items?page=2"},
        {"next": "eyJhIjoxfQ=="},
        {"next": 2},
        {"next_offset": 2},
        {"next_cursor": 17},
        {"links": {"next": {"href": "items?page=2"}}},
    ],
    ids=str,
)
def test_every_usual_sign_of_more_keeps_a_part_from_being_taken_for_the_whole(more: dict[str, object]) -> None:
    with pytest.raises(Fatal, match="read in part"):
        seen(more).require_end()
    seen(more, complete=True).require_end()


@pytest.mark.parametrize(
    "headers",
    [
        {"x-total-count": "95"},
        {"X-Total": "95"},
        {"X-WP-Total": "95"},
        {"X-WP-TotalPages": "5"},
        {"Content-Range": "items 0-1/95"},
        {"Content-Range": "0-1/95"},
        {"X-Next-Page": "2"},
        {"X-Pagination": '{"TotalCount": 95}'},
        {"x-ms-continuation": "abc"},
    ],
    ids=str,
)
def test_headers_that_count_or_go_on_are_signs_too(headers: dict[str, str]) -> None:
    with pytest.raises(Fatal, match="read in part"):
        seen(headers=headers).require_end()


@pytest.mark.parametrize(
    ("more", "headers"),
    [
        ({"total": 2, "count": "2", "pages": 1, "last": True, "done": True, "next": None}, {}),
        ({"next": "2026-12-01", "paging": {"next": {}}, "next_cursor": "", "next_page": 0, "has_more": "false"}, {}),
        ({"page": {"number": 0, "total": 2, "totalPages": 1}}, {"X-Next-Page": "", "Content-Range": "items 0-1/2"}),
        ({"total": "many"}, {"X-Total": "?", "Content-Range": "items 0-1/*", "X-Pagination": "{"}),
    ],
)
def test_a_listing_that_says_that_it_is_whole_is_whole(more: dict[str, object], headers: dict[str, str]) -> None:
    seen(more, headers).require_end()


@pytest.mark.parametrize("total", ["total", "meta.total", "X-WP-Total", "x-total-count"])
@pytest.mark.parametrize("value", [3, "3", 3.0])
def test_a_total_may_be_a_number_or_a_text_in_the_body_or_in_a_header(total: str, value: object) -> None:
    body = {"total": value, "meta": {"total": value}}
    headers = {"X-WP-Total": "3", "X-Total-Count": "3"}
    found = seen(body, headers, kind="number", parameter="page", total=total)
    assert not found.all_read()
    found.count(1)
    assert found.all_read()


@pytest.mark.parametrize("spoiled", ["NaN", "-Infinity", r'"\ud800"', "[" * 3000 + "]" * 3000, "9" * 5000])
def test_signs_count_whatever_the_records_hold(spoiled: str) -> None:
    body = f'{{"items": [{{"id": "1", "x": {spoiled}}}], "has_more": true}}'
    with pytest.raises(Fatal, match="has_more"):
        seen(body=body.encode()).require_end()
    with pytest.raises(BadBody, match="success"):
        seen(body=body.replace('"has_more": true', '"success": false').encode())


@pytest.mark.parametrize(
    "more",
    [
        {"success": False},
        {"success": "false"},
        {"ok": 0},
        {"isSuccess": False},
        {"Status": "FAILURE"},
        {"stat": "fail"},
        {"status": 401, "message": "unknown key"},
        {"code": "500", "msg": "overloaded"},
        {"statusCode": 503},
        {"meta": {"status": "error"}},
        {"meta": {"error": {"code": 5}}},
        {"exception": "java.lang.NullPointerException"},
        {"errcode": 40001, "errmsg": "invalid credential"},
        {"errors": [{"title": "no such tenant"}]},
        {"error": True},
    ],
    ids=str,
)
def test_every_usual_way_to_say_that_it_failed_with_status_200_is_heard(more: dict[str, object]) -> None:
    with pytest.raises(BadBody, match="status 200 with an error"):
        seen(more)


@pytest.mark.parametrize(
    "more",
    [
        {"error": None, "errors": [], "errorCode": 0, "errorMessage": "", "fault": {}, "exception": None},
        {"error": False, "errorCode": "0", "errcode": 0, "errmsg": "ok"},
        {"error": "none", "errors": "null", "errorCode": 200, "fault": "N/A"},
        {"success": True, "ok": 1, "status": "active", "code": 200, "message": "OK", "result": "success"},
        {"success": None, "status": "OK", "statusCode": 200, "code": 404, "succeeded": 0},
    ],
    ids=str,
)
def test_an_error_that_is_none_is_no_error(more: dict[str, object]) -> None:
    seen(more).require_end()
