"""The full extract (OdpisPelny) of a company that was struck off, in the shape of the current one.

The court register has no current extract of it any more (204), but goes on to give the full one: the same facts, each
as a list of what it was, with the number of the entry that brought it (nrWpisuWprow) and of the one that took it away
(nrWpisuWykr). What was in force last is what is known of the company.
"""

from __future__ import annotations

STRUCK_OFF = 4
"""stanPozycji of an entry that was deleted; 1 is one in force."""

_ENTRY_NUMBERS = ("nrWpisuWprow", "nrWpisuWykr")
_ONE = frozenset({"reprezentacja"})
"""Lists in the full extract of which the current one holds a single object, where there is one."""

Json = dict[str, "Json"] | list["Json"] | str | int | float | bool | None


def as_current(full: Json, number: str) -> Json:
    """The body of a full extract as a body of a current one, of a company that was struck off.

    Raises ValueError when it is no full extract, or another company's.
    """
    extract = _object(_object(full).get("odpis"))
    heading = _object(extract.get("naglowekP"))
    listed = heading.get("wpis")
    entries = [entry for entry in listed if isinstance(entry, dict)] if isinstance(listed, list) else []
    if not entries:
        raise ValueError("no full extract with its entries")
    if heading.get("numerKRS") != number:
        raise ValueError("the full extract of another company")
    first, last = entries[0], entries[-1]
    state = heading.get("stanPozycji")
    now: dict[str, Json] = {
        **{name: value for name, value in heading.items() if name != "wpis"},
        "dataRejestracjiWKRS": first.get("dataWpisu"),
        "numerOstatniegoWpisu": last.get("numerWpisu"),
        "dataOstatniegoWpisu": last.get("dataWpisu"),
        "stanPozycji": STRUCK_OFF if state in (None, 1) else state,
    }
    return {"odpis": {"rodzaj": extract.get("rodzaj"), "naglowekA": now, "dane": _last("dane", extract.get("dane"))}}


def _object(value: Json) -> dict[str, Json]:
    return value if isinstance(value, dict) else {}


def _last(name: str, value: Json) -> Json:
    """What a value was last."""
    if isinstance(value, dict):
        return {key: _last(key, each) for key, each in value.items() if key not in _ENTRY_NUMBERS}
    if not isinstance(value, list):
        return value
    versions = [each for each in value if isinstance(each, dict)]
    if not versions:
        return value
    newest = max(versions, key=_brought_by)
    if all(name in each for each in versions):  # [{"nazwa": …, "nrWpisuWprow": …}, …]
        return _last(name, newest[name])
    if any(
        number in each for each in versions for number in _ENTRY_NUMBERS
    ):  # the object's own fields beside the numbers
        return _last(name, newest)
    if all("pozycja" in each for each in versions):  # a list, each place of which has versions
        return [_last("pozycja", each["pozycja"]) for each in versions]
    return _last(name, newest) if name in _ONE and len(versions) == 1 else [_last(name, each) for each in versions]


def _brought_by(version: dict[str, Json]) -> int:
    number = str(version.get("nrWpisuWprow", ""))
    return int(number) if number.isascii() and number.isdecimal() and len(number) < 19 else 0
