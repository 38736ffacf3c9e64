"""Lists that are read besides the pages of a stream end too."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from onefold.catalog.auth import NoAuth
from onefold.catalog.reader import read_systems
from onefold.connectors.files.bucket import Bucket
from onefold.connectors.files.store import Found, Unreadable
from onefold.errors import Fatal, Retriable
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
    system = system.model_copy(update={"limits": limits, "auth": NoAuth()})
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


def bucket(web: WebServer, **limits: object) -> Bucket:
    system = read_systems()["accounting"]
    system = system.model_copy(update={"limits": system.limits.model_copy(update={"rate": ["1000/s"], **limits})})
    where = Endpoint("s3://files", "login", "password", {"endpoint_url": web.url})
    return Bucket(system, where, lambda _: None, limiter=MemoryLimiter())


def listing(*entries: str, following: str = "") -> Say:
    more = f"<IsTruncated>true</IsTruncated><NextContinuationToken>{following}</NextContinuationToken>" * bool(
        following
    )
    return Say(200, f"<ListBucketResult>{''.join(entries)}{more}</ListBucketResult>".encode())


def test_a_listing_of_a_bucket_without_an_end_is_given_up(web: WebServer) -> None:
    def answer(asked: Asked) -> Say:
        assert len(web.asked) < 50, "it is read on and on"
        return listing(following=str(len(web.asked)))

    web.answer = answer
    with bucket(web, pages=3) as store, pytest.raises(Fatal, match=r"more than 3 pages \(limits\.pages\)"):
        list(store.found("*.csv"))


@pytest.mark.parametrize(
    "odd", ["<Size>²</Size>", "<LastModified>yesterday</LastModified>", f"<Size>{'9' * 5000}</Size>"]
)
def test_an_object_whose_listing_is_odd_is_a_fault_of_that_object(web: WebServer, odd: str) -> None:
    when = "" if "LastModified" in odd else "<LastModified>2026-03-01T08:00:00Z</LastModified>"
    good = "<Contents><Key>a.csv</Key><LastModified>2026-03-01T08:00:00Z</LastModified><Size>7</Size></Contents>"
    web.script(listing(f"<Contents><Key>odd.csv</Key>{when}{odd}</Contents>", good))
    with bucket(web) as store:
        found = {file.name: file.fault for file in store.found("*.csv")}
    assert found["a.csv"] is None and "does not say" in str(found["odd.csv"])


def test_an_object_that_the_store_never_gives_is_told_and_the_others_are_read(web: WebServer) -> None:
    when = datetime(2026, 3, 1, tzinfo=UTC)
    good = Say(200, b"content", {"ETag": "t"})
    failing = {
        "500.csv": Say(500, b"<Error/>"),
        "cut.csv": Say(200, b"cont", {"ETag": "t"}, announced=7),
        "short.csv": Say(200, b"cont", {"ETag": "t"}),
        "long.csv": Say(200, b"x" * (2 << 20), {"ETag": "t"}),
        "no-object.csv": Say(200, b"<html>"),
    }
    web.answer = lambda asked: failing.get(asked.path.rpartition("/")[2], good)
    with bucket(web, attempts=1, answer_mib=1) as store:
        for name in failing:
            with pytest.raises(Unreadable):
                store.take(Found(name, when, 7, "t"))
            assert store.take(Found("good.csv", when, 7, "t")).content.read() == b"content"
        assert store.take(Found("changed.csv", when, 7, "another")) is None


def test_a_store_that_gives_none_of_several_objects_fails_the_load(web: WebServer) -> None:
    web.script(Say(500, b"<Error/>"))
    with bucket(web, attempts=1) as store:
        for number in range(3):
            with pytest.raises(Unreadable, match="status 500"):
                store.take(Found(f"{number}.csv", datetime(2026, 3, 1, tzinfo=UTC), 7, "t"))
        with pytest.raises(Retriable, match="status 500"):
            store.take(Found("4.csv", datetime(2026, 3, 1, tzinfo=UTC), 7, "t"))
