"""Where a source says that its next page is: nothing that it may say ends in anything but a page or a plain refusal."""

from __future__ import annotations

import pytest

from onefold.errors import Fatal
from tests.connectors.rest_shop import NEXT_URL, WINDOW, body, keys, shop
from tests.http.web_server import Asked, Say, WebServer

ODD = ["http://[::1", "http://127.0.0.1:99999/items", "ftp://a/b", "javascript:alert(1)", "/items?" + "x" * 20_000]


@pytest.mark.parametrize("address", ODD)
@pytest.mark.parametrize("kind", ["url", "link", "query"])
def test_a_next_page_that_is_no_address_of_the_source_fails_the_stream_in_plain_words(
    web: WebServer, address: str, kind: str
) -> None:
    link = {"Link": f'<{address}>; rel="next"'} if kind == "link" else {}
    first = body(1, next=None if link else address)
    following = {"kind": "link"} if link else NEXT_URL | ({"keep": "query"} if kind == "query" else {})
    web.answer = lambda asked: Say(200, first.body, link) if len(web.asked) == 1 else body(2)
    found = shop(web, next=following)(WINDOW, None)
    if kind == "query" and not address.startswith(("http://[", "/items?")):
        assert keys(found) == ["1", "2"]  # of such an address only the query is taken, and it goes to the source itself
        return
    with pytest.raises(Fatal, match="it pointed us to") as failed:
        list(found)
    assert len(str(failed.value)) < 600


@pytest.mark.parametrize(
    "header",
    ["<", ">;rel=next", '<>; rel="next"', "a,b;c;;=", "<x", '<x>; rel="next', "<a>;rel", "\xb2", "<\x7f>;rel=next"],
)
def test_a_link_header_that_is_malformed_is_as_good_as_none(web: WebServer, header: str) -> None:
    web.answer = lambda asked: Say(200, body(1).body, {"Link": header}) if len(web.asked) == 1 else body()
    assert keys(shop(web, next={"kind": "link"})(WINDOW, None)) == ["1"]


@pytest.mark.parametrize("kind", ["url", "link"])
def test_the_token_of_a_page_that_a_load_stores_has_no_key_and_the_next_request_has(web: WebServer, kind: str) -> None:
    def answer(asked: Asked) -> Say:
        assert asked.params["api_key"] == "a-secret-key"
        following = f"{web.url}/items?page=2&api_key=a-secret-key"
        if asked.params.get("page") == "2":
            return body(2)
        link = {"Link": f'<{following}>; rel="next"'} if kind == "link" else {}
        return Say(200, body(1, next=None if link else following).body, link)

    web.answer = answer
    auth = {"auth": {"kind": "api_key", "query": "api_key"}}
    following = {"kind": "link"} if kind == "link" else NEXT_URL
    pages = list(shop(web, auth, password="a-secret-key", next=following)(WINDOW, None))
    assert keys(pages) == ["1", "2"]
    assert "a-secret-key" not in repr(pages)
    assert "page=2" in (pages[0].token or "")
