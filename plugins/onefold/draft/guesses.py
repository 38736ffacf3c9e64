"""What the names of fields suggest: the key, the moment of the last change, the class of personal data."""

from __future__ import annotations

import re
from collections.abc import Iterable

from onefold.draft.model import Fields

STAMPS = (
    r"^(system)?_?(last)?_?(mod(ified|stamp)|chang(e|ed)|updat(e|ed))(_?(at|on|date|time|timestamp|datetime|stamp))*$",
    r"^(data|czas)_?(modyfikacji|zmiany|aktualizacji)$",
    r"^(last|date)_?(modified|changed|updated)(_?(date|time|at|on))*$",
    r"^(last)_?(update|change|modification)(_?(date|time|at|on|timestamp))*$",
)
_KEYS = (
    r"^(id|Id|ID|_id)$",
    r"^(uuid|guid|key|number|nr|numer|sku|isbn|iban|slug|symbol|code|kod)$",
    r"^id_.*$",
    r"^.*(_id|Id|ID|_key|Key|number|Number|_nr|_no|Code)$",
)
_NO_KEY = re.compile(
    r"^(messages?|msg|text|title|name|description|desc|detail|details|status|state|type|kind|severity|level|created.*|"
    r"updated.*|.*_at|url|href|body|content|comment|notes?|error|errors|warnings?|value|amount|quantity|currency)$",
    re.IGNORECASE,
)
"""Names of what tells no two records apart."""
_SCALARS = ("text", "integer", "numeric")


def guessed_cursor(fields: Fields, kinds: tuple[str, ...] = ("timestamp", "date", "text")) -> str | None:
    """The field that looks like the moment of the last change."""
    for pattern in STAMPS:
        for name, given in fields.items():
            if re.match(pattern, name, re.IGNORECASE) and given.get("type", "text") in kinds:
                return name
    return None


def guessed_keys(fields: Fields, about: str = "") -> list[str]:
    """The field that looks like the key of what the stream is named (`about`: orders → order_id); else the first that
    may tell records apart. Never a message or another free text while there is anything else."""
    scalars = [name for name, given in fields.items() if given.get("type", "text") in _SCALARS]
    one = re.escape(singular(about)) if about else ""
    own = [rf"(?i:^{one}_?(id|key|number|no|nr|code|uuid)$)"] if one else []
    # An id of its own goes first, then what is named after the stream, then what merely looks like a key.
    for pattern in (_KEYS[0], *own, *_KEYS[1:]):
        for required in (True, False):
            for name in scalars:
                if re.match(pattern, name) and fields[name].get("required", True) is required:
                    return [name]
    named = [name for name in scalars if name.lower() == "name"]
    return (named or fitting(scalars) or scalars or list(fields))[:1]


def fitting(names: Iterable[str]) -> list[str]:
    """The names that are not those of a message, a state or a time."""
    return [name for name in names if not _NO_KEY.match(name)]


def looks_like_a_key(name: str) -> bool:
    """Whether a field of this name may tell records apart."""
    return any(re.match(pattern, name) for pattern in _KEYS)


def singular(name: str) -> str:
    """One of them: customers, categories, statuses."""
    for ending, one in (("ies", "y"), ("sses", "ss"), ("uses", "us"), ("xes", "x"), ("ches", "ch")):
        if name.endswith(ending):
            return name.removesuffix(ending) + one
    return name[:-1] if name.endswith("s") and not name.endswith("ss") else name
