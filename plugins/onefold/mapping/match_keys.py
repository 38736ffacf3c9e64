"""The keys of the probabilistic match as SQL, rendered without dbt from the macros of conform (macros/resolve/keys)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from jinja2.environment import TemplateModule

from onefold.mapping.sql import TRANSFORMS, macro_sql, macros_of

KEYS = TRANSFORMS.parent / "resolve" / "keys.sql"


@cache
def _macros() -> TemplateModule:
    return macros_of([KEYS, *TRANSFORMS.rglob("*.sql")])


def _sql(macro: str, text: str) -> str:
    return f"({macro_sql(_macros(), macro, text)})"


def name_key_sql(name: str) -> str:
    """What of a name (an SQL expression) is compared; NULL where it says too little to join records by."""
    key = _sql("name_key", name)
    return f"(case when {_sql('tells_apart', key)} then {key} end)"


def truncated_sql(name: str) -> str:
    """Whether a name may have been cut off by its system."""
    return _sql("name_is_truncated", name)


def address_key_sql(parts: Sequence[str]) -> str:
    """What of an address is compared; NULL where a part is missing."""
    return " || ".join(f"nullif({_sql('address_key', part)}, '')" for part in parts)
