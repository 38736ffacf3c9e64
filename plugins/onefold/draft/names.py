"""Names that the catalogue takes, made of those that a source gives its streams and fields."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from onefold.catalog.field_line import personal_class
from onefold.catalog.model import IDENTIFIER_BYTES
from onefold.draft.model import DraftStream, Fields, Mark, Value

LONGEST_STREAM = 24
_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_NO_DECOMPOSITION = str.maketrans("łŁøØđĐß", "lLoOdDs")


@dataclass(frozen=True, slots=True)
class Given:
    """One field as a description gives it: its name there, its type, whether every record has it, and the path to it
    where that is not its name. `title` is what the description calls it, for the class of personal data."""

    name: str
    kind: str
    required: bool = True
    path: str | None = None
    title: str = ""


def fields_of(given: Iterable[Given]) -> tuple[Fields, list[Mark]]:
    """The catalogue's fields, in order, and what is to check about their names.

    A name that is no plain one (Nr faktury, last-modified), is too long, or differs from another's in case only,
    becomes one that is, with the source's own as its path.
    """
    fields: Fields = {}
    taken: set[str] = set()
    marks: list[Mark] = []
    for each in given:
        plain = each.name if _PLAIN.fullmatch(each.name) else plain_name(each.name)
        name = _free(plain[: IDENTIFIER_BYTES - 4], taken)
        path = each.path or (each.name if name != each.name else None)
        if name != plain and not each.path:
            reason = "is too long" if len(plain) > IDENTIFIER_BYTES - 4 else "is there twice but for case"
            marks.append(Mark("fields", f"{name} is {each.name} of the source, whose name {reason}"))
        taken.add(name.lower())
        fields[name] = _field(each, path if path is None or each.path else key_path(path))
    return fields, marks


def keyed_fields(fields: Fields) -> tuple[str, Fields]:
    """The name of the field that a record's id becomes where records stand by their ids, and the fields with it."""
    name = "id" if "id" not in {each.lower() for each in fields} else "entry_key"
    return name, {name: {}, **fields}


def plain_name(text: str) -> str:
    """Lower case letters of A to Z, digits and underscores: `Nr faktury (FV)` becomes nr_faktury_fv."""
    name = "_".join(re.findall(r"[A-Za-z0-9]+", _plain_letters(text))).lower() or "field"
    return name if name[0].isalpha() else f"f_{name}"


def key_path(*keys: str) -> str:
    """The path to a value below these keys of a record: dotted, or an SQL/JSON path where a key has a dot in it."""
    if not any("." in key or key.startswith("$") for key in keys):
        return ".".join(keys)
    return "$" + "".join(f'."{key}"' for key in keys)


def stream_name(text: str) -> str:
    """A name that the catalogue accepts, made of the source's: A_BusinessPartner becomes a_business_partner."""
    name = re.sub(r"^[\d_]+", "", "_".join(words_of(text))) or "stream"
    return name[:LONGEST_STREAM].strip("_")


def words_of(name: str) -> list[str]:
    """The words of a name in lower case and plain letters: usuńDokument is usun, dokument."""
    found = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+", _plain_letters(name))
    return [word.lower() for word in found]


def with_distinct_names(streams: Iterable[DraftStream]) -> list[DraftStream]:
    """The streams; where several have one name, the later ones are called by their path too, or get a number."""
    taken: set[str] = set()
    named = []
    for stream in streams:
        name = next(each for each in _choices(stream) if each not in taken)
        taken.add(name)
        named.append(stream if name == stream.name else replace(stream, name=name))
    return named


def _plain_letters(text: str) -> str:
    """The text with ó as o and ł as l; what is no letter of ASCII then is left out."""
    return unicodedata.normalize("NFKD", text.translate(_NO_DECOMPOSITION)).encode("ascii", "ignore").decode()


def _choices(stream: DraftStream) -> Iterator[str]:
    yield stream.name
    parts = [part for part in stream.path.split("/") if part and "{" not in part]
    if len(parts) > 1 and len(longer := stream_name("_".join(parts[-2:]))) <= LONGEST_STREAM - 3:
        yield longer
    for number in range(2, 10_000):
        yield f"{stream.name[: LONGEST_STREAM - 1 - len(str(number))].strip('_')}_{number}"


def _free(name: str, taken: set[str]) -> str:
    numbered = (f"{name}_{number}" for number in range(2, 10_000))
    return name if name.lower() not in taken else next(each for each in numbered if each.lower() not in taken)


def _field(given: Given, path: str | None) -> dict[str, Value]:
    """One field's entry: only what differs from the catalogue's defaults."""
    entry: dict[str, Value] = {}
    if path is not None:
        entry["path"] = path
    if given.kind != "text":
        entry["type"] = given.kind
    named = (personal_class(each) for each in (given.name, given.title) if each)
    personal = next((each for each in named if each != "none"), "none")
    if given.kind in ("text", "json", "numeric") and personal != "none":
        entry["personal"] = personal
    if not given.required:
        entry["required"] = False
    return entry
