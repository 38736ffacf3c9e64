"""Refresh tokens that change with each use: the new one is stored before it is used, and asked for by one at a time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest

from onefold.errors import Fatal, Retriable
from onefold.http.endpoint import Endpoint
from onefold.http.sign_in.refresh import ConsentNeeded
from tests.http.calls import Out
from tests.http.token_family import AUTH, Memory, TokenFamily
from tests.http.web_server import Asked, Say, WebServer


def out(web: WebServer, store: Memory | None, consented: str = "r0", **auth: object) -> Out:
    endpoint = Endpoint(web.url, "app", None, {"refresh_token": consented}, store)
    return Out(web.url, endpoint=endpoint, auth=AUTH | auth)


def test_a_new_refresh_token_is_stored_before_the_access_token_is_used(web: WebServer) -> None:
    family, store = TokenFamily(), Memory()

    def answer(asked: Asked) -> Say:
        if asked.path == "/items":
            assert '"refresh":"r1"' in (store.text or "")
        return family(asked)

    web.answer = answer
    out(web, store).get()
    assert family.shown == ["r0"]


def test_the_next_process_uses_what_was_stored_and_asks_for_nothing(web: WebServer) -> None:
    family, store = TokenFamily(), Memory()
    web.answer = family
    for _ in range(3):
        out(web, store).get()
    assert family.shown == ["r0"]
    assert store.writes == 1


def test_an_access_token_that_was_refused_is_not_taken_from_the_store_again(web: WebServer) -> None:
    family, store = TokenFamily(uses=2), Memory()
    web.answer = family
    for _ in range(6):
        out(web, store).get()
    assert family.shown == ["r0", "r1", "r2"]


def test_many_clients_whose_tokens_end_all_the_time_keep_the_family_alive(web: WebServer) -> None:
    family, store = TokenFamily(uses=5), Memory()
    web.answer = family
    clients = [out(web, store) for _ in range(4)]

    def ask(client: Out) -> None:
        for _ in range(10):
            with suppress(Fatal):  # another has spent the fresh token before us: no loop, and no harm
                client.get()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(ask, clients))
    assert family.refresh is not None
    assert len(family.shown) == len(set(family.shown)) > 5


def test_a_server_that_does_not_rotate_is_asked_with_the_same_token(web: WebServer) -> None:
    family, store = TokenFamily(uses=1, rotates=False), Memory()
    web.answer = family
    client = out(web, store)
    for _ in range(3):
        client.get()
    assert family.shown == ["r0"] * 3


def test_a_family_that_has_ended_needs_consent_again_and_is_not_tried_twice(web: WebServer) -> None:
    family, store = TokenFamily(), Memory()
    family.refresh = "r9"  # somebody else has used r0
    web.answer = family
    with pytest.raises(ConsentNeeded, match=r"invalid_grant.*consent is needed again.*'shop_api'.*refresh_token"):
        out(web, store).get()
    assert len(web.asked) == 1


def test_a_token_that_a_person_consented_to_anew_takes_the_place_of_the_old_family(web: WebServer) -> None:
    family, store = TokenFamily(), Memory()
    web.answer = family
    out(web, store).get()
    family.refresh = "fresh"
    out(web, store, "fresh").get()
    assert family.shown == ["r0", "fresh"]


def test_a_token_that_could_not_be_stored_is_not_used(web: WebServer) -> None:
    family, store = TokenFamily(), Memory()
    web.answer, store.broken = family, Retriable("no room")
    with pytest.raises(Retriable, match="no room"):
        out(web, store).get()
    assert [asked.path for asked in web.asked] == ["/token"]


def test_without_a_store_nothing_is_asked_so_that_no_token_is_lost(web: WebServer) -> None:
    with pytest.raises(Fatal, match="only a task of Airflow's can"):
        out(web, None).get()
    assert web.asked == []


def test_a_token_server_that_is_down_leaves_the_family_alive(web: WebServer) -> None:
    family, store = TokenFamily(), Memory()
    answers = [Say(503), Say(503)]
    web.answer = lambda asked: answers.pop() if answers else family(asked)
    assert out(web, store).get() == {}
