"""What `next` says and cannot be true is a mistake with its file and line, and what to write instead."""

from __future__ import annotations

import pytest

from tests.catalog.conftest import SYSTEM, Checkout

REST = "request: {path: /accounts}"
POST = "request: {path: /accounts, method: POST, body: '[1]'}"
SOAP = SYSTEM.replace("protocol: rest", "protocol: soap\nwsdl: /shop?wsdl").replace(
    "path: /accounts", "operation: List"
)


@pytest.mark.parametrize(
    ("following", "said"),
    [
        (
            "{kind: number, parameter: page, path: next}",
            "path is for next of kind token or url, and this one is of kind",
        ),
        ("{kind: number, parameter: page}", "say first: 0 or 1"),
        ("{kind: offset}", "next of kind offset needs parameter"),
        ("{kind: offset, parameter: page, size_parameter: size}", "say how many records a page is to have"),
        ("{kind: offset, parameter: page, size: 5}", "name there the parameter that carries it"),
        ("{parameter: page}", "next.parameter is read with a kind only"),
        ("{kind: url, path: next, hosts: ['https://a.example']}", "write the name of one host"),
        ("{kind: url}", "next of kind url needs path (or header)"),
        ("{kind: offset, parameter: page, place: body}", "say request.method: POST"),
    ],
)
def test_of_rest(checkout: Checkout, following: str, said: str) -> None:
    checkout.write("catalog/systems/shop.yaml", SYSTEM.replace(REST, f"{REST}\n    next: {following}"))
    (mistake,) = checkout.mistakes()
    assert said in mistake and mistake.startswith("shop.yaml:10:")


@pytest.mark.parametrize(
    ("request_", "following", "said"),
    [
        (POST, "{kind: offset, parameter: page, place: body}", "request.body is no JSON object"),
        (
            REST[:-1] + ", params: {page: '0'}}",
            "{kind: number, parameter: page, first: 1}",
            "first says where to begin",
        ),
        (REST[:-1] + ", params: {n: '9'}}", "{size: 5, size_parameter: n}", "take it out there (size says how many)"),
    ],
)
def test_of_rest_with_its_request(checkout: Checkout, request_: str, following: str, said: str) -> None:
    checkout.write("catalog/systems/shop.yaml", SYSTEM.replace(REST, f"{request_}\n    next: {following}"))
    (mistake,) = checkout.mistakes()
    assert said in mistake and mistake.startswith("shop.yaml:10:")


@pytest.mark.parametrize(
    ("following", "said"),
    [
        ("{kind: url, path: next}", "a SOAP call has no address of a next page"),
        ("{kind: token, path: Paging.Next, parameter: Token}", "the name of an element of the answer, without dots"),
        ("{kind: token, header: X-Next, parameter: Token}", "protocol soap ignores next.header"),
        ("{kind: number, parameter: Page}", "say first: 0 or 1"),
        ("{kind: offset, parameter: Page, place: body}", "protocol soap ignores next.place"),
    ],
)
def test_of_soap(checkout: Checkout, following: str, said: str) -> None:
    checkout.write(
        "catalog/systems/shop.yaml", SOAP.replace("    primary_key", f"    next: {following}\n    primary_key")
    )
    (mistake,) = checkout.mistakes()
    assert said in mistake and mistake.startswith("shop.yaml:11:")
