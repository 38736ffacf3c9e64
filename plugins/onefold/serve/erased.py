"""Persons who were erased are not brought back by a question to a register: its answer is stored without them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import psycopg

from onefold.privacy.suppressions import Suppressions, suppressions
from onefold.privacy.values import erased
from onefold.serve.question import Answer


def without_erased(answer: Answer, warehouse: psycopg.Connection[Any]) -> Answer:
    """The answer as it may be stored and given. Raises Fatal where what was erased cannot be recognised."""
    register = suppressions(warehouse)
    if register is None:
        return answer
    content, people = (_without(each, register) for each in (answer.content, answer.people))
    return replace(answer, content=content, people=people)


def _without(value: Any, register: Suppressions) -> Any:
    if isinstance(value, dict):
        return {name: _without(each, register) for name, each in value.items()}
    if isinstance(value, list):
        return [_without(each, register) for each in value]
    if isinstance(value, str) and (spans := register.find(value, personal=True)):
        return erased(value, spans)
    return value
