"""How a field that a source has is written into a stream's YAML, as far as its name and its values' types say it."""

from __future__ import annotations

import re
from collections.abc import Mapping

from onefold.catalog.fields import FieldType, PersonalClass

PERSONAL: tuple[tuple[str, PersonalClass], ...] = (
    (
        r"pesel|passport|paszport|birth|urodz|salary|wynagrodz|iban|bank_?account|rachunek|ssn|password|haslo",
        "sensitive",
    ),
    (r"e[-_]?mail|phone|telefon|mobile|fax|street|ulica|address|adres|postal|zip|kod_?poczt", "contact"),
    (
        r"first_?name|last_?name|surname|given_?name|imie|nazwisko|full_?name|nip|tax_?(id|number)|login|user_?name",
        "identity",
    ),
    (r"^name$|company|nazwa|firma|organi[sz]ation", "organisation"),
)


def personal_class(name: str) -> PersonalClass:
    """The personal-data class that a field's name suggests."""
    for pattern, given in PERSONAL:
        if re.search(pattern, name, re.IGNORECASE):
            return given
    return "none"


def field_settings(name: str, kind: FieldType) -> dict[str, str | bool]:
    """What the YAML should say of an optional field with this name and type, the defaults left out."""
    personal = personal_class(name)
    return {
        **({} if kind == "text" else {"type": kind}),
        **({} if personal == "none" else {"personal": personal}),
        "required": False,
    }


def plain(value: str | bool) -> str:
    """A setting's value as YAML writes it."""
    return str(value).lower() if isinstance(value, bool) else value


def field_line(name: str, settings: Mapping[str, str | bool]) -> str:
    """The field as an entry under `fields`: a name, and its settings in braces."""
    return f"{name}: {{{', '.join(f'{key}: {plain(value)}' for key, value in settings.items())}}}"
