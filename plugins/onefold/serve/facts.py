"""What one register says of one company: asked now where what is held is older than 24 hours, else as it is held."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from onefold.serve.database import Database
from onefold.serve.problem import Problem
from onefold.serve.question import Answer, NoAnswer, Question
from onefold.serve.registers import Registers

_HELD = (
    "select outcome, answered_at, proof, content, people from ops.api_answer"
    " where system = %s and stream = %s and lookup_key = %s"
)
_LOADED = "select record, answered_at, proof from ops.api_held_record(%s, %s, %s)"
_OWNERS = "select owner, published_at from ops.api_owners(%s)"


class Facts:
    """Answers of registers, the newest that can be had. The writer's session reads them: what a client may not see of
    them is taken out by who asks here."""

    def __init__(self, database: Database, registers: Registers) -> None:
        self._database = database
        self._registers = registers

    async def answer(self, question: Question, client: str) -> Answer:
        """The newest answer. Raises Problem 503 where the register cannot be asked and none is held; never 404: what
        the register's no means says who asks."""
        held = await self._held(question)
        if held is not None and held.is_fresh():
            return held
        try:
            return await self._registers.ask(question, client)
        except NoAnswer as error:
            loaded = await self._loaded(question)
            newest = max((each for each in (held, loaded) if each), key=lambda each: each.answered_at, default=None)
            if newest is None:
                raise Problem(
                    503, "register-unavailable", f"Nothing is known here, and {error}. Try again later.",
                    {"Retry-After": "30"},
                ) from None  # fmt: skip
            return newest

    async def _held(self, question: Question) -> Answer | None:
        rows = await self._database.writer.fetch(_HELD, (question.system, question.stream, question.key))
        return Answer(question, **rows[0], final=_is_over(question, rows[0]["answered_at"])) if rows else None

    async def _loaded(self, question: Question) -> Answer | None:
        """What loads have brought."""
        if (question.system, question.stream) == ("crbr", "beneficiary"):
            owners = await self._database.writer.fetch(_OWNERS, (question.key,))
            if not owners:
                return None
            people = [{"attributes": each["owner"]} for each in owners]
            content: list[dict[str, Any]] = [
                {"attributes": {"ownership_reasons": each["owner"].get("ownership_reasons")}} for each in owners
            ]
            answered_at: datetime = max(each["published_at"] for each in owners)
            return Answer(question, "found", answered_at, None, content, people)
        rows = await self._database.writer.fetch(_LOADED, (question.system, question.stream, question.key))
        if not rows:
            return None
        from onefold.serve.krs_extract import public_part

        record, named = rows[0]["record"], f"{question.system}.{question.stream}"
        content = [{"attributes": {}, "record": public_part(named, record)}]
        people = [{"attributes": {}, "record": record}]
        return Answer(question, "found", rows[0]["answered_at"], rows[0]["proof"], content, people)


def _is_over(question: Question, answered_at: datetime) -> bool:
    """Whether the question is about a day that was over when it was answered: that answer is final."""
    from onefold.serve.askers import today_in_warsaw

    parts = question.key.split("/")
    return question.system == "white_list" and len(parts) > 1 and parts[1] < today_in_warsaw(answered_at).isoformat()
