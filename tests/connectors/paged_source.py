"""A source that lists its items page by page, in any of the ways in which sources do, and its YAML for that."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass, field
from typing import Any

from tests.http.web_server import Asked, Say

Json = dict[str, Any]
ENDS = ("absent", "null", "empty")


@dataclass
class PagedSource:
    """`items` in pages of at most `cap`. `kind` is how it goes on; `next` and `request` are what its YAML says.

    `counts_asked_size`: the place of a page by number follows from the size that was asked for, though no more than
    `cap` come. `marks` are what stands beside the records. `beyond` is what a page behind the last one is. `counted`: 1
    for its total under a usual name, 2 in a header.
    """

    kind: str
    items: int
    cap: int
    first: int = 1
    place: str = "query"
    size: int | None = None
    counts_asked_size: bool = False
    sizes: tuple[int, ...] = ()
    token: str = "text"
    in_header: bool = False
    address: str = "absolute"
    end: str = "absent"
    marks: tuple[str, ...] = ()
    beyond: str = "empty"
    counted: int = 0
    url: str = ""
    asked: list[Json] = field(default_factory=list)

    @property
    def request(self) -> Json:
        request: Json = {"path": "/v1/items"}
        if self.place == "body":
            request |= {"method": "POST", "body": '{"filter": {"from": "{start}"}}'}
        if self.beyond == "404":
            request["empty"] = {"status": 404, "text": "no such page"}
        return request

    @property
    def next(self) -> Json:
        """Its `next` in the YAML, all of it true."""
        at = {"query": "at", "body": "paging.at", "header": "X-At"}[self.place]
        following: Json = {"kind": self.kind}
        if self.kind in ("number", "offset"):
            following |= {"parameter": at, "first": self.first}
        elif self.kind == "after":
            following |= {"parameter": at, "field": "id"}
        elif self.kind == "token":
            following |= {"parameter": at}
        if self.kind in ("url", "token"):
            following |= {"header": "X-Next"} if self.in_header else {"path": "meta.following"}
        if self.place != "query":
            following["place"] = self.place
        if self.size:
            following |= {"size": self.size, "size_parameter": at.replace("at", "size").replace("At", "Size")}
        named = {"more": "meta.goes_on", "last": "meta.final", "total": "meta.amount", "pages": "meta.sheets"}
        return following | {mark: named[mark] for mark in self.marks}

    def __call__(self, asked: Asked) -> Say:
        given = self._given(asked) | ({"at": asked.params["at"]} if "at" in asked.params else {})
        self.asked.append(given)
        if self.place == "body":
            assert asked.method == "POST" and json.loads(asked.body)["filter"]["from"].startswith("20")
        wanted = int(given.get("size", self.cap if self.size is None else 10**6))
        if self.sizes and "size" in given and wanted not in self.sizes:
            return Say(400, b'{"message": "size must be one of those"}')
        size = min(wanted, self.cap)
        at = given.get("at")
        start = self._start(at, wanted if self.counts_asked_size else size)
        if self.beyond == "404" and start >= self.items and start > 0:
            return Say(404, b'{"message": "no such page"}')
        if self.beyond == "last" and start >= self.items:
            start = max(0, (self.items - 1) // size * size)
        found = range(max(0, start), min(start + size, self.items))
        return self._answer(found, start + len(found) < self.items, size)

    def _given(self, asked: Asked) -> Json:
        if self.place == "body":
            return dict(json.loads(asked.body).get("paging", {}))
        if self.place == "header":
            lower = {name.lower(): value for name, value in asked.headers.items()}
            return {name: lower[f"x-{name}"] for name in ("at", "size") if f"x-{name}" in lower}
        return dict(asked.params)

    def _start(self, at: Any, size: int) -> int:
        if at is None:
            return 0
        if self.kind == "number":
            assert self.place != "body" or type(at) is int
            return (int(at) - self.first) * size
        if self.kind == "offset":
            return int(at) - self.first
        if self.kind == "after":
            return int(at) + 1
        if self.kind in ("url", "link"):
            return int(at)
        if self.token == "object":
            at = at["place"]
        assert self.place != "body" or type(at) is (str if self.token == "text" else int)
        return int(str(at).removeprefix("t"))

    def _answer(self, found: range, goes_on: bool, size: int) -> Say:
        meta: Json = {}
        headers: dict[str, str] = {}
        for mark in self.marks:
            meta |= {
                "more": {"goes_on": goes_on},
                "last": {"final": str(not goes_on).lower()},
                "total": {"amount": str(self.items)},
                "pages": {"sheets": -(-self.items // size)},
            }[mark]
        if self.counted == 1:
            meta["total_count"] = self.items
        elif self.counted == 2:
            headers["X-Total-Count"] = str(self.items)
        following = self._following(found.stop) if goes_on else {"absent": None, "null": None, "empty": ""}[self.end]
        if self.kind == "link" and goes_on:
            headers["Link"] = f'</v1/>; rel="first", <{following}>; rel=next'
        elif self.kind in ("url", "token") and self.in_header:
            headers |= {"X-Next": str(following)} if following else {}
        elif self.kind in ("url", "token") and (goes_on or self.end != "absent"):
            meta["following"] = following
        body = {"items": [{"id": str(each)} for each in found], "meta": meta}
        return Say(200, json.dumps(body).encode(), headers)

    def _following(self, start: int) -> Any:
        if self.kind in ("url", "link"):
            return {
                "absolute": f"{self.url}/v1/items?at={start}",
                "path": f"/v1/items?at={start}",
                "query": f"?at={start}",
                "sibling": f"items?at={start}",
                "parent": f"../v1/items?at={start}",
                "no scheme": f"{self.url.removeprefix('http:')}/v1/items?at={start}",
            }[self.address]
        return {"text": f"t{start}", "number": start, "object": {"place": start, "of": ["x"]}}[self.token]


def any_source(rng: random.Random, url: str) -> PagedSource:
    """A source whose YAML is right, with any number of items around its pages' ends."""
    kind = rng.choice(["number", "offset", "after", "token", "url", "link"])
    cap = rng.choice([1, 2, 3, 7, 25])
    items = max(0, rng.choice([0, 1, cap - 1, cap, cap + 1, 2 * cap, 3 * cap + 1, rng.randrange(4 * cap)]))
    size = rng.choice([None, cap, cap * 2, cap + 1])
    place = rng.choice(["query", "body", "header"])
    if kind in ("url", "link") and place == "query":
        size = None  # its addresses would have to carry it
    if kind in ("url", "link") and size is None:
        place = "query"
    counted = kind in ("number", "offset")
    marks = tuple(mark for mark in ("more", "last", "total", "pages") if rng.random() < 0.3)
    marks = tuple(mark for mark in marks if mark != "last" or "more" not in marks)
    counts_asked_size = kind == "number" and size is not None and "pages" not in marks and rng.random() < 0.5
    return PagedSource(
        kind,
        items,
        cap,
        first=rng.choice([0, 1] if kind == "number" else [0, 0, 1]),
        place=place,
        size=size,
        counts_asked_size=counts_asked_size,
        sizes=() if size is None or counts_asked_size or rng.random() < 0.7 else (cap, size),
        token="text" if place == "header" else rng.choice(["text", "number", *(["object"] * (place == "body"))]),
        in_header=kind in ("url", "token") and place != "body" and rng.random() < 0.4,
        address=rng.choice(["absolute", "path", "query", "sibling", "parent", "no scheme"]),
        end=rng.choice(ENDS),
        marks=marks,
        beyond=rng.choice(["empty", "empty", "404", *(["last"] * bool(marks))]) if counted else "empty",
        url=url,
    )
