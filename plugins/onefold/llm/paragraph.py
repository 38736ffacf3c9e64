"""A model's answer that is a paragraph to read: short, plain, and no instruction to anybody or anything."""

from __future__ import annotations

import re

from onefold.audit.personal import looks_personal
from onefold.llm.router import AnswerRefused

LONGEST = 1500
"""Characters."""
TASK_OF_A_PARAGRAPH = (
    "Answer with one paragraph of plain English, at most 120 words: no lists, markup, commands or links."
)
_REFUSED = (
    (re.compile(r"```|`[^`]*`|\$\(|(?m:^\s*[$#>] )"), "it holds code or commands"),
    (re.compile(r"\b(?:https?|ftp|file)://|\bwww\.|\]\(", re.IGNORECASE), "it holds a link"),
    (re.compile(r"<[A-Za-z/!]"), "it holds markup"),
    (
        re.compile(
            r"\b(?:ignore|disregard|forget) (?:all |any |the |your |these |those )*"
            r"(?:previous|prior|above|earlier|instructions)|\bsystem prompt\b|\byou are now\b",
            re.IGNORECASE,
        ),
        "it tries to give instructions to a model",
    ),
    (
        re.compile(
            r"\b(?:sudo|curl|wget|chmod|rm -|bash -c|powershell|delete from|truncate table|"
            r"drop (?:table|schema|database)|alter (?:role|table|user)|bin/onefold)\b",
            re.IGNORECASE,
        ),
        "it tells somebody to run a command",
    ),
    (
        re.compile(
            r"\b(?:send|share|post|paste|email|enter|type|give)\b[^.]{0,60}"
            r"\b(?:password|credential|secret|token|api key)",
            re.IGNORECASE,
        ),
        "it asks for a secret",
    ),
)


def read_paragraph(text: str) -> str:
    """The paragraph. Raises AnswerRefused, with the reason, for anything else."""
    paragraph = " ".join(text.split())
    if len(paragraph) > LONGEST:
        raise _refused(f"it is too long ({len(paragraph)} characters, {LONGEST} are read)")
    if not paragraph.isprintable():
        raise _refused("it holds control characters")
    for pattern, why in _REFUSED:
        if pattern.search(text):
            raise _refused(why)
    if looks_personal(paragraph):
        raise _refused("it looks as if it named a person")
    return paragraph


def _refused(why: str) -> AnswerRefused:
    return AnswerRefused(f"The model's answer was refused: {why}.")
