"""A source that answers properly, or as no source should: which answers are hostile, and how, a random number decides.

Every answer goes over a real socket to the real HTTP client: what is sent is bytes.
"""

from __future__ import annotations

import itertools
import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import urlencode

from onefold.catalog.system import System
from tests.http.web_server import Asked, Say
from tests.load.shop import at

Paging = Literal["none", "url", "link", "token", "number", "offset", "odata"]
PAGINGS: tuple[Paging, ...] = ("none", "url", "link", "token", "number", "offset", "odata")
PER_PAGE = 4
NEXT: dict[Paging, dict[str, object]] = {
    "none": {},
    "url": {"kind": "url", "path": "next"},
    "link": {"kind": "link"},
    "token": {"kind": "token", "path": "go", "parameter": "page"},
    "number": {"kind": "number", "parameter": "page"},
    "offset": {"kind": "offset", "parameter": "page", "total": "total"},
    "odata": {},
}
OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


def system_of(paging: Paging) -> System:
    """A system with one stream, which is read by this kind of paging, and narrow limits."""
    protocol = {"protocol": "odata", "odata_version": 4} if paging == "odata" else {"protocol": "rest"}
    records = {} if paging == "odata" else {"records": "items", "next": NEXT[paging]}
    return System.model_validate(
        {
            "system": "shop",
            "title": "A shop",
            "connection": "shop",
            "schedule": "0 * * * *",
            "limits": {
                "rate": ["100000/s"],
                "timeout": "PT0.4S",
                "attempts": 2,
                "answer_mib": 2,
                "pages": 40,
                "empty_pages": 8,
                "load": "PT15S",
            },
            **protocol,
            "streams": {
                "customer": {
                    "title": "Customers",
                    "request": {"path": "/items"},
                    "primary_key": ["id"],
                    "cursor": {"fields": ["changed"]},
                    "fields": {"id": "text", "name": {"personal": "contact"}, "changed": "timestamp"},
                    **records,
                }
            },
        }
    )


@dataclass
class HostileSource:
    """Serves so many records by one kind of paging. While `hostile`, each answer is spoilt with the given chance."""

    paging: Paging
    chance: random.Random
    share: float
    count: int = 17
    hostile: bool = True
    did: list[str] = field(default_factory=list)
    """What was done to the answers, for the message of a test that fails."""

    def truth(self) -> dict[str, str]:
        """What the source holds: each key with its name."""
        return {f"k{number:02}": f"Name ż {number}" for number in range(self.count)}

    def __call__(self, asked: Asked) -> Say:
        place = self._place(asked)
        if not self.hostile or self.chance.random() > self.share:
            return self._proper(place)
        name = self.chance.choice(sorted(ATTACKS))
        self.did.append(f"{name} at {place}")
        return ATTACKS[name](self, place)

    def items(self, place: int) -> list[dict[str, object]]:
        """The records of a page; the places of pages are those of their first records."""
        size = self.count if self.paging == "none" else PER_PAGE
        found = list(self.truth().items())[place : place + size]
        return [
            {"id": key, "name": name, "changed": at(minute)} for minute, (key, name) in enumerate(found, start=place)
        ]

    def answer(self, items: object, place: int, *, following: object = None) -> Say:
        """An answer with these items that names the next page, where there is one, or this `following`."""
        last = not isinstance(items, list) or place + PER_PAGE >= self.count or self.paging == "none"
        token = following if following is not None else None if last else str(place + PER_PAGE)
        address = token if token is None or following is not None else f"/items?{urlencode({'page': token})}"
        said: dict[str, object] = {"items": items}
        more: dict[str, str] = {}
        match self.paging:
            case "url":
                said["next"] = address
            case "link" if address is not None:
                more["Link"] = f'<{address}>; rel="next"'
            case "token":
                said["go"] = token
            case "offset":
                said["total"] = self.count
            case "odata":
                said = {"value": items, **({"@odata.nextLink": address} if address is not None else {})}
        return Say(200, json.dumps(said, ensure_ascii=False).encode(), more)

    def _proper(self, place: int) -> Say:
        return self.answer(self.items(place), place)

    def _place(self, asked: Asked) -> int:
        text = asked.params.get("page", "")
        if not text.isascii() or not text.isdigit() or len(text) > 6:
            return 0
        return (int(text) - 1) * PER_PAGE if self.paging == "number" else int(text)

    # What is hostile.

    def cut(self, place: int) -> Say:
        body = self._proper(place).body
        return Say(200, body[: self.chance.randrange(len(body))])

    def cut_with_its_length(self, place: int) -> Say:
        body = self._proper(place).body
        return Say(200, body[:-5], announced=len(body))

    def wrong_length(self, place: int) -> Say:
        body = self._proper(place).body
        said = self.chance.choice([b"-5", b"1e9", b"9" * 400, b"\xb2", b"7, 8", str(len(body) - 3).encode()])
        return Say(raw=[OK, b"Content-Length: ", said, b"\r\nConnection: close\r\n\r\n", body])

    def trickle(self, place: int) -> Say:
        begin, drop = self.chance.choice(
            [
                ([OK, b"X-Slow: "], b"x"),
                ([OK], b"A: b\r\n"),
                ([OK, b"Content-Length: 100000\r\n\r\n"], b" "),
                ([OK, b"Transfer-Encoding: chunked\r\n\r\n"], b"0"),
                ([], b"HTTP/1.1 100 Continue\r\n\r\n"),
            ]
        )
        return Say(raw=itertools.chain(begin, itertools.repeat(drop)), drip=0.01)

    def silence(self, place: int) -> Say:
        return Say(hang_up=True) if self.chance.random() < 0.5 else Say(raw=itertools.repeat(b"", 60), drip=0.01)

    def endless(self, place: int) -> Say:
        """Ever new records, and always another page."""
        key = self.chance.randrange(10**9)
        return self.answer(self.items(place), place, following=str(key))

    def nothing(self, place: int) -> Say:
        """An empty page that says that others follow."""
        return self.answer([], place, following=str(self.chance.randrange(10**9)))

    def again(self, place: int) -> Say:
        """The same page, named as its own next."""
        return self.answer(self.items(place) * 2, place, following=str(place))

    def malformed_link(self, place: int) -> Say:
        odd: list[object] = ["http://[::1", "//other.example/x", "javascript:x", "http://127.0.0.1:99999/", "\0"]
        odd += ["/x?" + "y" * 20_000, 7.5, {"a": 1}, [], True, -1]
        return self.answer(self.items(place), place, following=self.chance.choice(odd))

    def wrong_charset(self, place: int) -> Say:
        body = self._proper(place).body.decode()
        how = self.chance.choice(["iso8859-2", "utf-16", "utf-16-le", "utf-32", "cp037"])
        return Say(200, body.encode(how), {"Content-Type": f"application/json; charset={how}"})

    def deep(self, place: int) -> Say:
        levels = self.chance.choice([500, 5000, 100_000])
        spoilt = self._proper(place).body.replace(b"[{", b"[" + b"[" * levels + b"]" * levels + b",{", 1)
        return Say(200, spoilt)

    def odd_items(self, place: int) -> Say:
        odd: list[object] = [None, 5, "x", [], {}, {"id": None}, {"id": {"a": 1}}, {"id": True}, {"x" * 50_000: 1}]
        odd += [{"id": "x" * length, "name": "n", "changed": at(1)} for length in (10_000, 1_000_000)]
        items: list[object] = [*self.items(place), *self.chance.sample(odd, 3)]
        self.chance.shuffle(items)
        return self.answer(items, place)

    def no_list(self, place: int) -> Say:
        return self.answer(self.chance.choice([None, 5, "x", {"a": 1}, [[]]]), place)

    def huge(self, place: int) -> Say:
        return Say(raw=itertools.chain([OK, b'\r\n{"items": ["'], itertools.repeat(b"x" * 65536, 400)), drip=0)

    def refuses(self, place: int) -> Say:
        odd = ["\xb2", "9" * 5000, "1e9", "-5", "", "soon", "0", "Fri, 31 Dec 9999 23:59:59 GMT"]
        status = self.chance.choice([429, 503, 500, 404, 400, 301, 204, 304])
        return Say(status, b"<html>", {"Retry-After": self.chance.choice(odd), "Location": "http://[::1"})

    def says_it_failed(self, place: int) -> Say:
        said = [b'{"error": {"code": 5}}', b"<html>", b"", b"null", b"[]", b"NaN", b"\xff"]
        return Say(200, self.chance.choice(said))

    def many_headers(self, place: int) -> Say:
        return Say(200, self._proper(place).body, {f"X-{number}": "y" * 500 for number in range(200)})


Attack = Callable[[HostileSource, int], Say]


def _attacks() -> Iterator[tuple[str, Attack]]:
    for attack in (
        HostileSource.cut,
        HostileSource.cut_with_its_length,
        HostileSource.wrong_length,
        HostileSource.trickle,
        HostileSource.silence,
        HostileSource.endless,
        HostileSource.nothing,
        HostileSource.again,
        HostileSource.malformed_link,
        HostileSource.wrong_charset,
        HostileSource.deep,
        HostileSource.odd_items,
        HostileSource.no_list,
        HostileSource.huge,
        HostileSource.refuses,
        HostileSource.says_it_failed,
        HostileSource.many_headers,
    ):
        yield attack.__name__, attack


ATTACKS = dict(_attacks())
