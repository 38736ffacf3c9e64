"""An extract of the court register: what of it everybody may see, and the parts that people ask for."""

from __future__ import annotations

from typing import Any

Json = Any
_PUBLIC = {
    "naglowekA", "rodzaj", "stanPozycji",
    "dzial1.danePodmiotu", "dzial1.siedzibaIAdres.siedziba", "dzial1.siedzibaIAdres.adres", "dzial1.umowaStatut",
    "dzial1.pozostaleInformacje", "dzial1.kapital", "dzial1.emisjeAkcji", "dzial3", "dzial5",
}  # fmt: skip
"""Where nothing about a person can stand; all else is shown with the scope people only."""
_RULE, _ORGAN = "sposobReprezentacji", "nazwaOrganu"


def is_public(path: str) -> bool:
    """Whether the place of an extract (dzial1.danePodmiotu.nazwa) is one where no person stands."""
    return any(path == each or path.startswith(f"{each}.") for each in _PUBLIC)


def public_value(path: str, value: Json) -> Json:
    """The value, None where it may be about a person."""
    return value if is_public(path) or path.endswith((f".{_RULE}", f".{_ORGAN}")) else None


def public_part(named: str, payload: dict[str, Any]) -> dict[str, Any]:
    """What everybody may see of a record of the stream: of an extract the places without persons, of others nothing."""
    if named != "krs.extract":
        return {}
    extract = payload.get("odpis")
    if not isinstance(extract, dict):
        return {}
    data = extract.get("dane")
    return {
        "odpis": {
            "rodzaj": extract.get("rodzaj"),
            "naglowekA": extract.get("naglowekA"),
            "dane": _public("", data) if isinstance(data, dict) else {},
        }
    }


def _public(path: str, value: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, each in value.items():
        place = f"{path}.{name}".lstrip(".")
        if is_public(place):
            found[name] = each
        elif isinstance(each, dict) and any(known.startswith(f"{place}.") for known in _PUBLIC):
            found[name] = _public(place, each)
    return found


def bodies(extract: dict[str, Any]) -> list[dict[str, Any]]:
    """The organs that represent the company: name, rule and members, as the register writes them."""
    found = _part(extract, "dzial2", "reprezentacja")
    listed = found if isinstance(found, list) else [found] if isinstance(found, dict) else []
    return [
        {"organ": each.get(_ORGAN), "rule": each.get(_RULE), "members": each.get("sklad") or []}
        for each in listed
        if isinstance(each, dict)
    ]


def proxies(extract: dict[str, Any]) -> list[Any]:
    """Who has a commercial power of attorney (prokura)."""
    found = _part(extract, "dzial2", "prokurenci")
    return found if isinstance(found, list) else []


def shareholders(extract: dict[str, Any]) -> list[Any]:
    """Who holds shares, as far as the register says it."""
    found = _part(extract, "dzial1", "wspolnicySpzoo")
    return found if isinstance(found, list) else [found] if isinstance(found, dict) else []


def capital(extract: dict[str, Any]) -> dict[str, Any]:
    """The share capital and the issues of shares."""
    found = _part(extract, "dzial1", "kapital")
    issues = _part(extract, "dzial1", "emisjeAkcji")
    return {"capital": found if isinstance(found, dict) else {}, "issues": issues if isinstance(issues, list) else []}


def _part(extract: dict[str, Any], *names: str) -> Json:
    found: Json = extract.get("odpis")
    for name in ("dane", *names):
        found = found.get(name) if isinstance(found, dict) else None
    return found
