"""Asks the first provider that answers: from the cache, within the budget, in the audit chain."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import psycopg

from onefold.errors import OnefoldError, Rejected, Retriable
from onefold.http.failure import NotSent, Unanswered
from onefold.llm.ledger import CallLedger
from onefold.llm.prompt import Prompt
from onefold.llm.provider import Completion, Provider

T = TypeVar("T")
log = logging.getLogger(__name__)


class AnswerRefused(Rejected):
    """A model's answer is not what it was asked for: nothing of it is used."""


@dataclass(frozen=True, slots=True)
class Answer(Generic[T]):
    """What an accepted answer says, and which model said it."""

    value: T
    model: str
    from_cache: bool


class Router:
    """Asks about one thing at a time; processes may ask side by side."""

    def __init__(self, connection: psycopg.Connection, ledger: CallLedger, providers: Sequence[Provider]) -> None:
        self._connection = connection
        self._ledger = ledger
        self._providers = providers

    def ask(self, prompt: Prompt, read: Callable[[str], T]) -> Answer[T]:
        """What `read` makes of the answer; it raises AnswerRefused, and what it accepts is cached.

        Raises Retriable when no provider answered or the budget is used up, Fatal when a provider wants a setting
        changed, Rejected when the answer was refused.
        """
        prompt_hash = prompt.sha256([each.setting.model for each in self._providers])
        if found := self._cached(prompt_hash):
            text, model = found
            return Answer(read(text), model, from_cache=True)
        failures: list[str] = []
        for provider in self._providers:
            try:
                completion = self._call(prompt, prompt_hash, provider)
            except (NotSent, Unanswered) as error:
                failures.append(str(error).rstrip("."))
                log.warning("%s", error)
                continue
            text = _text(completion)
            value = read(text)
            self._cache(prompt_hash, provider, text)
            return Answer(value, provider.setting.model, from_cache=False)
        raise Retriable(f"No language model answered. {'; '.join(failures)}. Try again later.")

    def _call(self, prompt: Prompt, prompt_hash: bytes, provider: Provider) -> Completion:
        call = self._ledger.reserve(prompt, prompt_hash, provider.setting)
        try:
            completion = provider.complete(prompt)
        except NotSent:
            self._ledger.settle(call, "not_sent")
            raise
        except Unanswered:
            self._ledger.settle(call, "unanswered")
            raise
        except OnefoldError:
            self._ledger.settle(call, "refused")
            raise
        self._ledger.settle(call, "answered", completion.input_tokens, completion.output_tokens)
        return completion

    def _cached(self, prompt_hash: bytes) -> tuple[str, str] | None:
        query = "select answer, model from ops.llm_answer where prompt_sha256 = %s"
        return self._connection.execute(query, (prompt_hash,)).fetchone()

    def _cache(self, prompt_hash: bytes, provider: Provider, text: str) -> None:
        self._connection.execute(
            "insert into ops.llm_answer (prompt_sha256, provider, model, answer) values (%s, %s, %s, %s)"
            " on conflict (prompt_sha256) do nothing",
            (prompt_hash, provider.setting.connection, provider.setting.model, text),
        )


def _text(completion: Completion) -> str:
    if completion.text is None or not completion.text.strip():
        raise AnswerRefused("The model's answer was refused: it has no text, or asks that a tool be called.")
    if completion.is_cut:
        raise AnswerRefused("The model's answer was refused: it is too long, and was cut.")
    return completion.text
