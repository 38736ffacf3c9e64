"""Lists that are read besides the pages of a stream end too."""

from __future__ import annotations

import json

import pytest

from onefold.catalog.reader import read_systems
from onefold.errors import Fatal
from onefold.http.client import Client
from onefold.http.endpoint import Endpoint
from onefold.http.limit import MemoryLimiter
from onefold.systems.epuap import _each_once
from onefold.systems.microsoft365 import ByUser
from tests.http.web_server import Asked, Say, WebServer


def test_a_list_of_users_without_an_end_is_given_up(web: WebServer) -> None:
    def answer(asked: Asked) -> Say:
        assert len(web.asked) < 50, "it is read on and on"
        following = f"{web.url}/v1.0/users?$skiptoken={len(web.asked)}"
        return Say(200, json.dumps({"value": [{"id": "u"}], "@odata.nextLink": following}).encode())

    web.answer = answer
    system = read_systems()["microsoft365"]
    limits = system.limits.model_copy(update={"pages": 5, "rate": ["1000/s"]})
    system = system.model_copy(update={"limits": limits, "auth": system.auth.model_copy(update={"kind": "none"})})
    with Client(system, Endpoint(web.url), lambda _: None, limiter=MemoryLimiter()) as http:
        stream = next(name for name, each in system.streams.items() if "{user}" in each.request.path)
        with pytest.raises(Fatal, match=r"more than 5 pages \(limits\.pages\)"):
            ByUser(system, stream, http)._users()


class _Wheel:
    """An inbox that gives the same two documents for ever, and says that ever so many wait."""

    asked = 0

    def next(self) -> dict[str, str]:
        self.asked += 1
        assert self.asked < 50, "it is asked on and on"
        return {"skrot": "ab"[self.asked % 2]}


def test_an_inbox_that_claims_to_hold_more_than_it_gives_is_left_after_a_round() -> None:
    assert len(list(_each_once(_Wheel(), 10**18, set()))) == 2
