"""However a SOAP service lists its records call by call, all are read, or the load fails and says what to set."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass, field

import pytest

from onefold.catalog.system import System
from onefold.connectors.page import Page, PageReader
from onefold.connectors.rows_on_disk import PAGE
from onefold.errors import Fatal
from onefold.http.client import Client
from onefold.http.endpoint import Endpoint
from onefold.http.limit import MemoryLimiter
from tests.connectors.reading import reader as reader_of
from tests.connectors.registers import now_window
from tests.connectors.soap.shop import SHOP, WSDL, envelope
from tests.effort import TORTURE
from tests.http.web_server import Asked, Say, WebServer

ELEMENT = '<xs:element name="{}" type="xs:{}" minOccurs="0"/>'.format
CRITERIA = (
    '<xs:element name="Criteria" minOccurs="0"><xs:complexType><xs:sequence>'
    + "".join(ELEMENT(name, kind) for name, kind in [("Page", "int"), ("Skip", "int"), ("After", "string")])
    + '<xs:element name="Window" minOccurs="0"><xs:complexType><xs:sequence>'
    + ELEMENT("PageSize", "int")
    + "</xs:sequence></xs:complexType></xs:element></xs:sequence></xs:complexType></xs:element>"
)
PAGED = WSDL.replace(
    'name="Since" type="xs:string"/>', f'name="Since" type="xs:string"/>{ELEMENT("Token", "string")}{CRITERIA}'
)
NEXT = {
    "token": {"kind": "token", "path": "NextToken", "parameter": "Token"},
    "after": {"kind": "after", "field": "Id.Value", "parameter": "Criteria.After"},
    "offset": {"kind": "offset", "parameter": "Criteria.Skip"},
    "number": {"kind": "number", "parameter": "Criteria.Page"},
}
SIZED = {"size": 50, "size_parameter": "Criteria.Window.PageSize"}
ARGUMENTS = {"token": "Token", "after": "After", "offset": "Skip", "number": "Page"}


@dataclass
class Service:
    """Lists so many accounts in pages of at most `cap`; `counts_asked_size`: as PagedSource of REST."""

    kind: str
    items: int
    cap: int
    first: int = 1
    marks: tuple[str, ...] = ()
    counts_asked_size: bool = False
    beside: str = ""
    forgets: bool = False
    asked: list[dict[str, str]] = field(default_factory=list)

    def __call__(self, asked: Asked) -> Say:
        if asked.method == "GET":
            return Say(200, PAGED.encode())
        given = dict(re.findall(r"<(?:\w+:)?(Token|Page|Skip|After|PageSize)>([^<]*)<", asked.body.decode()))
        self.asked.append(given)
        wanted = int(given.get("PageSize", self.cap))
        start = self._start(
            given.get(ARGUMENTS[self.kind]), wanted if self.counts_asked_size else min(wanted, self.cap)
        )
        if self.forgets and len(self.asked) == 1 and start:
            fault = "<e:Fault><faultcode>e:Client</faultcode><faultstring>Token expired</faultstring></e:Fault>"
            return Say(500, envelope(fault), {"Content-Type": "text/xml"})
        found = range(max(0, start), min(start + min(wanted, self.cap), self.items))
        return Say(200, envelope(self._listed(found)), {"Content-Type": "text/xml"})

    def _start(self, at: str | None, size: int) -> int:
        if at is None:
            return 0
        match self.kind:
            case "number":
                return (int(at) - self.first) * size
            case "after":
                return int(at) + 1
            case _:
                return int(at.removeprefix("t"))

    def _listed(self, found: range) -> str:
        goes_on = max(found.stop, found.start) < self.items
        accounts = "".join(f"<Account><Id><Value>{each}</Value></Id></Account>" for each in found)
        said = {
            "more": f"<GoesOn>{str(goes_on).lower()}</GoesOn>",
            "last": f"<Final>{0 if goes_on else 1}</Final>",
            "total": f"<Amount> {self.items} </Amount>",
            "pages": f"<Sheets>{-(-self.items // self.cap)}</Sheets>",
        }
        token = f"<NextToken>t{found.stop}</NextToken>" if goes_on else random.choice(["", "<NextToken/>"])
        beside = "".join(said[mark] for mark in self.marks) + (token if self.kind == "token" else "") + self.beside
        fillers = "".join(f"<Note{each}>n</Note{each}>" for each in range(110))  # more than are looked at by themselves
        return f"<A>{fillers}<L>{accounts}</L><P>{beside}</P></A>"


def read(web: WebServer, following: dict[str, object]) -> PageReader:
    stream = SHOP.streams["account"].model_dump(exclude_unset=True) | {
        "next": following,
        "primary_key": ["id"],
        "fields": {"id": {"path": "Id.Value"}},
    }
    given = SHOP.model_dump(exclude_unset=True)
    system = System.model_validate(given | {"streams": {"account": stream}, "limits": {"rate": ["100000/s"]}})
    endpoint = Endpoint(web.url)
    http = Client(system, endpoint, lambda _: None, limiter=MemoryLimiter(), stream="account", sleep=lambda _: None)
    return reader_of(system, "account", endpoint, http, lambda after, changed: iter(()))


def keys(pages: list[Page]) -> list[str | None]:
    return [record.key for page in pages for record in page.records]


@pytest.mark.parametrize("kind", NEXT)
def test_any_service_is_read_to_its_end_and_gone_on_with_from_any_page(web: WebServer, kind: str) -> None:
    for seed in range(500 if TORTURE else 8):
        rng = random.Random(f"{kind}{seed}")
        cap = rng.choice([1, 3, 25])
        marks = [rng.choice([None, "more", "last"]), rng.choice([None, "total"]), rng.choice([None, "pages"])]
        service = web.answer = Service(
            kind,
            rng.choice([0, 1, cap - 1, cap, cap + 1, 3 * cap + 1]),
            cap,
            first=rng.choice([0, 1]),
            marks=tuple(mark for mark in marks if mark),
            counts_asked_size=kind == "number" and "pages" not in marks and rng.random() < 0.5,
        )
        named = {"more": "GoesOn", "last": "Final", "total": "Amount", "pages": "Sheets"}
        following = NEXT[kind] | {mark: named[mark] for mark in service.marks} | rng.choice([{}, SIZED])
        following |= {"first": service.first} if kind == "number" else {}
        pages = list(read(web, following)(now_window(), None))
        assert keys(pages) == [str(each) for each in range(service.items)], f"seed {seed}: {service}"
        reached = rng.choice(pages[:-1] or pages)
        rest = list(read(web, following)(now_window(), reached.token))
        seen = pages[: pages.index(reached) + 1] if reached.token else []
        assert keys([*seen, *rest]) == keys(pages), f"seed {seed}, from {reached.token}: {service}"


def test_the_size_goes_where_its_dotted_argument_is(web: WebServer) -> None:
    service = web.answer = Service("offset", 5, 2)
    assert len(keys(list(read(web, NEXT["offset"] | SIZED)(now_window(), None)))) == 5
    assert service.asked == [{"Skip": skip, "PageSize": "50"} for skip in ("0", "2", "4", "5")]


def test_a_large_answer_of_one_call_among_several_is_asked_for_again_after_a_crash_in_it(web: WebServer) -> None:
    service = web.answer = Service("token", 3 * PAGE + 2, PAGE + 1)
    pages = list(read(web, NEXT["token"])(now_window(), None))
    assert [len(page.records) for page in pages] == [PAGE, 1, PAGE, 1, PAGE]
    service.asked.clear()
    rest = list(read(web, NEXT["token"])(now_window(), pages[2].token))
    assert service.asked[0] == {"Token": f"t{PAGE + 1}"}
    assert keys(rest) == keys(pages[2:])


def test_a_token_that_is_no_longer_known_starts_the_window_anew(web: WebServer) -> None:
    web.answer = Service("token", 5, 2)
    first, *_ = read(web, NEXT["token"])(now_window(), None)
    web.answer = Service("token", 5, 2, forgets=True)
    assert keys(list(read(web, NEXT["token"])(now_window(), first.token))) == list("01234")


@pytest.mark.parametrize(
    ("kind", "following", "service", "said"),
    [
        ("number", NEXT["number"] | {"first": 1}, {"first": 0, "beside": "<total>9</total>"}, "read in part"),
        ("offset", {}, {"beside": "<hasMore>true</hasMore>"}, "how its calls go on"),
        ("token", NEXT["token"] | {"path": "Next"}, {}, "its NextToken says that there is a next page"),
        ("token", NEXT["token"] | {"parameter": "Since"}, {}, "circle"),
        ("number", NEXT["number"] | {"parameter": "Criteria.Skip"}, {}, "circle"),
        ("token", NEXT["token"] | {"total": "Amount"}, {}, "no number at Amount"),
        ("token", NEXT["token"] | {"more": "GoesOn"}, {}, "neither true nor false at GoesOn"),
        ("token", NEXT["token"] | {"parameter": "Criteria.Nothing"}, {}, "the WSDL has no operation List with"),
        ("token", NEXT["token"] | {"parameter": "Since.Deep"}, {}, "within another that has a value"),
    ],
)
def test_what_is_wrong_in_the_yaml_fails_and_says_what_to_set(
    web: WebServer, kind: str, following: dict[str, object], service: dict[str, object], said: str
) -> None:
    web.answer = Service(kind, 9, 2, **service)
    with pytest.raises(Fatal, match=said):
        list(read(web, following)(now_window(), None))
