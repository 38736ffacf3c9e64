"""The keys of the probabilistic match as SQL, rendered without dbt from the macros of conform (macros/resolve/keys)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Protocol, cast

import jinja2

from onefold.mapping.sql import TRANSFORMS

KEYS = TRANSFORMS.parent / "resolve" / "keys.sql"


class _Macro(Protocol):
    def __call__(self, text: str) -> str: ...


@cache
def _macros() -> jinja2.environment.TemplateModule:
    texts = [KEYS.read_text("utf-8"), *(file.read_text("utf-8") for file in sorted(TRANSFORMS.rglob("*.sql")))]
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined, autoescape=False)  # noqa: S701 - SQL, not HTML
    return environment.from_string("\n".join(texts)).module


def _sql(macro: str, text: str) -> str:
    return f"({cast(_Macro, getattr(_macros(), macro))(text).strip()})"


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
