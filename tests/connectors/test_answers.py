"""What a REST source may answer instead of a list of records in UTF-8, and what it means."""

from __future__ import annotations

import json

import pytest

from onefold.errors import Fatal, Retriable
from tests.connectors.rest_shop import WINDOW, keys, shop
from tests.http.web_server import Say, WebServer


def says(web: WebServer, content: object, **headers: str) -> None:
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    web.answer = lambda _: Say(200, body, headers)


def records(web: WebServer, **stream: object) -> list[object]:
    return [json.loads(record.payload) for page in shop(web, **stream)(WINDOW, None) for record in page.records]


KEYED: dict[str, object] = {"answer": {"keyed": "id"}}
RATES: dict[str, object] = {
    "answer": {"keyed": "currency", "value": "rate"},
    "primary_key": ["currency"],
    "fields": {"currency": "text", "rate": "numeric"},
}


@pytest.mark.parametrize(
    ("stream", "content", "expected"),
    [
        ({}, {"items": None}, []),
        ({"records": "data.items"}, {"data": None}, []),
        ({"next": {"kind": "after", "field": "id", "more": "has_more", "parameter": "after"}}, {"items": None}, []),
        ({"answer": {"optional": True}}, {"page": 1}, []),
        ({"answer": {"optional": True}}, b"\r\n", []),
        ({"answer": {"optional": True}, "records": ""}, b"null", []),
        ({"answer": {"single": True}}, {"items": {"id": 1}}, [{"id": 1}]),
        ({"answer": {"single": True}}, {"items": [{"id": 1}, {"id": 2}]}, [{"id": 1}, {"id": 2}]),
        ({"answer": {"single": True}}, {"items": None}, []),
        ({"answer": {"single": True}, "records": ""}, {"id": 1, "total": 9, "next": "/x", "status": "failed"},
         [{"id": 1, "total": 9, "next": "/x", "status": "failed"}]),
        (KEYED, {"items": {"C-1": {"n": 1.10}, "C-2": {}}}, [{"id": "C-1", "n": 1.10}, {"id": "C-2"}]),
        (KEYED, {"items": {"C-1": {"id": "own"}}}, [{"id": "own"}]),
        (KEYED, {"items": []}, []),
        (KEYED | {"records": ""}, {"C": [{"n": 1}, {"n": 2}]}, [{"id": "C", "n": 1}, {"id": "C", "n": 2}]),
        (RATES, b'{"items": {"USD": 3.9680}}', [{"currency": "USD", "rate": 3.968}]),
    ],
)  # fmt: skip
def test_records_that_are_no_list_are_read_as_the_yaml_says(
    web: WebServer, stream: dict[str, object], content: object, expected: list[object]
) -> None:
    says(web, content)
    assert records(web, **stream) == expected


@pytest.mark.parametrize(
    ("stream", "content"),
    [
        ({}, {"page": 1}),
        ({}, {"items": {"id": 1}}),
        ({"records": "data.items"}, {"data": {}}),
        ({"answer": {"single": True}}, {"item": {"id": 1}}),
        ({"answer": {"single": True}}, {"items": "none"}),
        ({"answer": {"keyed": "id"}}, {"items": 5}),
    ],
)
def test_a_place_that_is_missing_or_holds_something_else_is_no_empty_answer(
    web: WebServer, stream: dict[str, object], content: object
) -> None:
    says(web, content)
    with pytest.raises(Fatal, match="shape has changed"):
        records(web, **stream)


def test_null_instead_of_any_answer_and_an_error_instead_of_a_record_are_failures(web: WebServer) -> None:
    says(web, b"null")
    with pytest.raises(Fatal, match="shape has changed"):
        records(web, records="")
    says(web, {"error": "who are you"})
    with pytest.raises(Retriable, match="an error instead of a record: so says its error"):
        records(web, records="", answer={"single": True})


def test_the_digits_of_records_by_id_stay_as_sent_also_beside_one_that_is_no_json(web: WebServer) -> None:
    says(web, b'{"items": {"a": {"x": NaN}, "b": {"n": 1234567890123456.78}}}')
    (page,) = shop(web, answer={"keyed": "id"})(WINDOW, None)
    assert [(record.key, record.payload) for record in page.records] == [
        ("a", b'{"id":"a","x": NaN}'),
        ("b", b'{"id":"b","n": 1234567890123456.78}'),
    ]


RULE = {"path": "success", "equals": False, "message": "error"}


@pytest.mark.parametrize(
    ("rules", "answer", "outcome"),
    [
        (RULE, {"success": False, "error": "INVALID_FIELD Nowak", "items": []}, Fatal),
        ([RULE], {"success": "false", "items": []}, Fatal),
        (RULE | {"then": "retry"}, {"success": False, "items": []}, Retriable),
        (RULE | {"then": "nothing"}, {"success": False}, []),
        (RULE, {"success": True, "items": [{"id": 1}]}, [{"id": 1}]),
        ({"path": "head.code", "unless": [0, 200]}, {"head": {"code": 7}, "items": [{"id": 1}]}, Fatal),
        ({"path": "head.code", "unless": [0, 200]}, {"head": {"code": "0"}, "items": [{"id": 1}]}, [{"id": 1}]),
        ({"path": "head.code", "unless": 0}, {"items": [{"id": 1}]}, [{"id": 1}]),
        ({"path": "faults"}, {"faults": [{"text": "x"}], "items": []}, Fatal),
        ({"path": "faults"}, {"faults": [], "items": [{"id": 1}]}, [{"id": 1}]),
        ({"path": "faults"}, b'{"faults": "x", "items": [{"id": NaN}]}', Fatal),
        ([{"path": "code", "equals": "NO_DATA", "then": "nothing"}, {"path": "code"}], {"code": "NO_DATA"}, []),
        ([{"path": "code", "equals": "NO_DATA", "then": "nothing"}, {"path": "code"}], {"code": "E1"}, Fatal),
    ],
)
def test_an_answer_with_status_200_is_an_error_where_the_yaml_says_so(
    web: WebServer, rules: object, answer: object, outcome: object
) -> None:
    says(web, answer)
    read = shop(web, system={"errors": {"in_answer": rules}})
    if isinstance(outcome, list):
        assert [json.loads(record.payload) for page in read(WINDOW, None) for record in page.records] == outcome
        return
    assert isinstance(outcome, type)
    with pytest.raises(outcome, match=r"says by its .* that it failed") as failed:
        list(read(WINDOW, None))
    assert "Nowak" not in str(failed.value)
    assert len(web.asked) == (1 if outcome is Fatal else 3)


LODZ = '{"items": [{"id": "Łódź – 5 €"}]}'


@pytest.mark.parametrize(
    ("declared", "content_type", "encoding"),
    [
        (None, "application/json", "utf-8"),
        (None, "application/json; charset=windows-1250", "cp1250"),
        (None, 'text/json; Charset="UTF-16"', "utf-16"),
        (None, "application/json", "utf-16"),
        (None, "application/json", "utf-16-be"),
        (None, "application/json; charset=iso-8859-1", "utf-8"),  # as many servers say without meaning it
        (None, "application/json; charset=nonsense", "utf-8"),
        ("cp1250", "application/json; charset=utf-8", "cp1250"),
    ],
)
def test_other_character_sets_are_read_by_the_header_or_the_yaml(
    web: WebServer, declared: str | None, content_type: str, encoding: str
) -> None:
    says(web, LODZ.encode(encoding), **{"Content-Type": content_type})
    assert keys(shop(web, answer={"encoding": declared})(WINDOW, None)) == ["Łódź – 5 €"]


@pytest.mark.parametrize(
    ("declared", "content_type"),
    [
        (None, "application/json"),
        (None, "application/json; charset=iso-8859-2"),  # it has no dash and no euro sign
        (None, "application/json; charset=nonsense"),
        (None, "application/json; charset=base64"),
        ("utf-8", "application/json"),
    ],
)
def test_what_is_in_no_declared_character_set_fails_and_no_letter_of_it_is_guessed(
    web: WebServer, declared: str | None, content_type: str
) -> None:
    says(web, LODZ.encode("cp1250"), **{"Content-Type": content_type})
    with pytest.raises(Retriable, match=r"not in its character set|not UTF-8"):
        list(shop(web, answer={"encoding": declared})(WINDOW, None))


def test_what_stands_beside_the_records_is_seen_in_other_character_sets_too(web: WebServer) -> None:
    says(web, LODZ.replace("]}", '], "total": 9}').encode("utf-16"))
    with pytest.raises(Fatal, match="its total is 9, and 1 were read"):
        list(shop(web)(WINDOW, None))


@pytest.mark.parametrize(
    ("stream", "said"),
    [
        ({"answer": {"keyed": "id", "single": True}}, "either single or keyed"),
        ({"answer": {"value": "id"}}, "goes with answer.keyed"),
        ({"answer": {"keyed": "number"}}, "'number', which is not under fields"),
        ({"answer": {"encoding": "latin-17"}}, "is no encoding"),
    ],
)
def test_what_cannot_be_true_of_an_answer_is_refused(web: WebServer, stream: dict[str, object], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        shop(web, **stream)
