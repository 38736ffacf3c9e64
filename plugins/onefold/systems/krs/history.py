"""What changed in the court register, entry by entry: the full extract (OdpisPelny), in which each value stands with
the numbers of the entries that brought it and took it away."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import msgspec

from onefold.connectors.records import sound_json
from onefold.http.attempt import BadBody, Response
from onefold.http.client import Client
from onefold.systems.krs.full_extract import Json

REGISTERS = ("P", "S")
_BROUGHT, _TAKEN = "nrWpisuWprow", "nrWpisuWykr"
_PATH = "/api/krs/OdpisPelny/"


@dataclass(frozen=True, slots=True)
class Change:
    """What an entry brought or took away: where (dzial1.danePodmiotu.nazwa), and the value in the register's words."""

    path: str
    value: Json
    removed: bool


@dataclass(slots=True)
class Entry:
    """One entry of the register. `date` is as it writes it, dd.MM.yyyy."""

    number: int
    date: str
    text: str
    changes: list[Change] = field(default_factory=list)


def read_full_extract(http: Client, number: str) -> Json | None:
    """The register's full extract of the company; None where neither register holds it."""
    for register in REGISTERS:
        found = http.send(
            "GET",
            f"{_PATH}{number}",
            params={"rejestr": register, "format": "json"},
            headers={"Accept": "application/json"},
            accept=frozenset({404}),
            parse=lambda response: _full(response, number),
        )
        if found is not None:
            return found
    return None


def entries_of(full: Json) -> list[Entry]:
    """The entries, the oldest first, each with what it brought and took away."""
    extract = full.get("odpis") if isinstance(full, dict) else None
    extract = extract if isinstance(extract, dict) else {}
    heading = extract.get("naglowekP")
    listed = heading.get("wpis") if isinstance(heading, dict) else None
    entries: dict[int, Entry] = {}
    for each in listed if isinstance(listed, list) else []:
        if isinstance(each, dict) and (number := _number(each.get("numerWpisu"))):
            entries[number] = Entry(number, str(each.get("dataWpisu", "")), str(each.get("opis", "")))
    for path, value, brought, taken in _versions("", extract.get("dane")):
        for number, removed in ((brought, False), (taken, True)):
            if number in entries:
                entries[number].changes.append(Change(path, value, removed))
    return [entries[number] for number in sorted(entries)]


def _versions(path: str, value: Json) -> Iterator[tuple[str, Json, int, int]]:
    """Every value that has the numbers of its entries, with where it stands."""
    if isinstance(value, list):
        for each in value:
            yield from _versions(path, each)
    elif isinstance(value, dict):
        if _BROUGHT in value:
            own = {name: each for name, each in value.items() if name not in (_BROUGHT, _TAKEN)}
            plain = own[next(iter(own))] if len(own) == 1 else own
            yield path, plain, _number(value.get(_BROUGHT)), _number(value.get(_TAKEN))
            return
        for name, each in value.items():
            yield from _versions(path if name == "pozycja" else f"{path}.{name}".lstrip("."), each)


def _number(value: Json) -> int:
    text = str(value)
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else 0


def _full(response: Response, number: str) -> Json | None:
    if response.status == 204:
        return None
    body: Json = msgspec.json.decode(sound_json(response))
    if isinstance(body, dict) and body.get("status") == 404 and "odpis" not in body:
        return None
    extract = body.get("odpis") if isinstance(body, dict) else None
    heading = extract.get("naglowekP") if isinstance(extract, dict) else None
    if response.status != 200 or not isinstance(heading, dict):
        raise BadBody("neither a full extract nor the body of not found")
    if heading.get("numerKRS", number) != number:
        raise BadBody("the full extract of another company")
    return body
