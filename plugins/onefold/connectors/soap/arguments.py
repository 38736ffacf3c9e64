"""The arguments of a SOAP call as the YAML writes them: a dotted name is an element within another."""

from __future__ import annotations

from collections.abc import Mapping

from onefold.errors import Fatal

Texts = Mapping[str, str]
Nested = dict[str, "str | Nested"]


def nested(named: str, texts: Texts) -> Nested:
    """{"criteria.page": "2"} as {"criteria": {"page": "2"}}. Raises Fatal where a name is a value and holds others."""
    found: Nested = {}
    for name, text in texts.items():
        *within, last = name.split(".")
        here = found
        for part in within:
            inner = here.setdefault(part, {})
            if isinstance(inner, str):
                raise _both(named, name)
            here = inner
        if last in here:
            raise _both(named, name)
        here[last] = text
    return found


def _both(named: str, name: str) -> Fatal:
    return Fatal(
        f"{named}: of its arguments one is within another that has a value of its own ({name}). Compare request.params "
        "and `next` in its YAML with the service's WSDL."
    )
