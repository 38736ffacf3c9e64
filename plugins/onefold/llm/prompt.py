"""What a model is asked: our own words, and facts about names, types, documentation and shares; never a value."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import msgspec

from onefold.audit.personal import looks_personal, redact
from onefold.errors import Fatal
from onefold.foreign_text import shown_name

Purpose = Literal["mapping", "explain"]
Fact = str | int | bool | None | Sequence["Fact"] | Mapping[str, "Fact"]

LARGEST = 64 * 1024
"""Bytes of the facts of one prompt."""
_PER_MESSAGE = 64
"""Tokens with which providers frame a message, at most."""
_STEP = re.compile(r"[^\W\d_][\w@]*")


@dataclass(frozen=True, slots=True)
class Prompt:
    """A question to a model. `system` is the integrated system that it is about; the answer may have `most_tokens`.

    Make it with make_prompt(), which keeps personal values out.
    """

    purpose: Purpose
    system: str
    task: str
    facts: str
    most_tokens: int

    @property
    def messages(self) -> list[dict[str, str]]:
        """As chat/completions takes them. Instructions and facts stand apart: facts are data, whatever they say."""
        return [{"role": "system", "content": self.task}, {"role": "user", "content": self.facts}]

    @property
    def most_input_tokens(self) -> int:
        """An upper bound: no tokenizer makes more tokens of a text than it has bytes."""
        return sum(len(each["content"].encode()) + _PER_MESSAGE for each in self.messages)

    def sha256(self, models: Sequence[str]) -> bytes:
        """The hash by which its answer is cached: other words, other facts or other models ask anew."""
        content = [self.purpose, self.system, self.task, self.facts, self.most_tokens, sorted(models)]
        return hashlib.sha256(msgspec.json.encode(content)).digest()


def make_prompt(purpose: Purpose, system: str, task: str, facts: Mapping[str, Fact], most_tokens: int) -> Prompt:
    """The prompt with these facts, of whose texts everything is taken out that the audit chain would refuse.

    Raises Fatal when they are too many, or still look personal together.
    """
    text = msgspec.json.encode(_clean(facts)).decode()
    if looks_personal(text):
        raise Fatal(
            f"The facts for a prompt about {system} look personal: nothing was sent. Please report it as a bug."
        )
    if len(text.encode()) > LARGEST:
        raise Fatal(
            f"The facts for a prompt about {system} are longer than {LARGEST} bytes: nothing was sent. Ask about one "
            "stream at a time."
        )
    return Prompt(purpose, system, task, text, most_tokens)


def named(name: str, known: frozenset[str] = frozenset()) -> str:
    """The name of a field as a model may read it: as onefold.foreign_text shows names; one of several words only when
    each is among the `known` ones, for a file without a header is named after its first record."""
    words = name.split()
    if len(words) > 1 and all(_STEP.fullmatch(word) and word.casefold() in known for word in words):
        return name
    return shown_name(name)


def _clean(fact: Fact) -> Fact:
    if isinstance(fact, str):
        return redact(fact)
    if isinstance(fact, Mapping):
        return {redact(key): _clean(value) for key, value in fact.items()}
    if isinstance(fact, Sequence):
        return [_clean(each) for each in fact]
    return fact
