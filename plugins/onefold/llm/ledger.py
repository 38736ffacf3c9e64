"""The ledger of calls (ops.llm_call): the budget is reserved before each call and settled after it.

A reservation is the most that the call can use, so that calls at the same time never use more than the budget together.
Who dies in between leaves the reservation, which counts until it expires.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

import psycopg

from onefold.audit import AuditEvent, append
from onefold.errors import Retriable
from onefold.llm.configuration import Budget, ProviderSetting
from onefold.llm.prompt import Prompt
from onefold.warehouse.rows import one_row

EXPIRES = 900
"""Seconds; a call has ended long before, by its timeout."""
Facts = dict[str, str | int]
Ended = Literal["answered", "refused", "unanswered", "not_sent"]

_LOCK = "select pg_advisory_xact_lock(hashtextextended('onefold llm budget', 0))"
_USED = """
select
    coalesce(sum(case when state = 'reserved' then reserved_tokens else input_tokens + output_tokens end), 0)::bigint,
    coalesce(sum(case when state = 'reserved' then reserved_cost else cost end) filter (where currency = %s), 0)
from ops.llm_call
where reserved_at >= date_trunc('month', clock_timestamp(), 'UTC')
    and (state <> 'reserved' or expires_at > clock_timestamp())
"""
_RESERVE = """
insert into ops.llm_call
    (purpose, system, provider, model, prompt_sha256, actor, reserved_tokens, reserved_cost, currency, expires_at)
values (%s, %s, %s, %s, %s, %s, %s, %s, %s, clock_timestamp() + make_interval(secs => %s)) returning call_id
"""
_SETTLE = """
update ops.llm_call set state = %s, input_tokens = %s, output_tokens = %s, cost = %s, estimated = %s,
    ended_at = clock_timestamp()
where call_id = %s and state = 'reserved'
"""


class BudgetUsedUp(Retriable):
    """The month's budget has no room for the most that a call can use."""


@dataclass(frozen=True, slots=True)
class Call:
    """A call in progress, and the most that it can use."""

    call_id: int
    setting: ProviderSetting
    prompt_hash: str
    input_tokens: int
    output_tokens: int


class CallLedger:
    """Writes as the loader, over a connection that commits by itself."""

    def __init__(self, connection: psycopg.Connection, budget: Budget, actor: str) -> None:
        self._connection = connection
        self._budget = budget
        self._actor = actor

    def reserve(self, prompt: Prompt, prompt_hash: bytes, setting: ProviderSetting) -> Call:
        """Set aside the most that the call can use, and say in the audit chain that it is made, before it is made.

        Raises BudgetUsedUp when so much is not left.
        """
        into, out = prompt.most_input_tokens, prompt.most_tokens
        price = setting.price
        cost = price.of(into, out) if price else None
        with self._connection.transaction():
            self._connection.execute(_LOCK)
            self._require_room(into + out, cost)
            (call_id,) = one_row(
                self._connection.execute(
                    _RESERVE,
                    (
                        *(prompt.purpose, prompt.system, setting.connection, setting.model, prompt_hash, self._actor),
                        *(into + out, cost, price.currency if price else None, EXPIRES),
                    ),
                )
            )
            call = Call(call_id, setting, prompt_hash.hex(), into, out)
            payload: Facts = {
                "purpose": prompt.purpose,
                "prompt_sha256": call.prompt_hash,
                "reserved_tokens": into + out,
            }
            self._append("llm.ask", call, payload, from_=prompt.system)
        return call

    def _require_room(self, tokens: int, cost: Decimal | None) -> None:
        budget = self._budget
        used_tokens, used_cost = one_row(self._connection.execute(_USED, (budget.currency,)))
        if budget.tokens is not None and used_tokens + tokens > budget.tokens:
            raise BudgetUsedUp(_used_up(f"{used_tokens:,}", f"{tokens:,}", f"{budget.tokens:,} tokens"))
        if budget.cost is not None and used_cost + (cost or 0) > budget.cost:
            raise BudgetUsedUp(
                _used_up(f"{used_cost:.4f}", f"{cost or 0:.4f}", f"{budget.cost} {budget.currency}"),
            )

    def settle(
        self, call: Call, state: Ended, input_tokens: int | None = None, output_tokens: int | None = None
    ) -> None:
        """Write down how the call ended and what it used. Where nobody says what was used of a call that may have been
        answered, what was reserved counts; of one that was not, nothing."""
        estimated = state in ("answered", "unanswered") and (input_tokens is None or output_tokens is None)
        into, out = (call.input_tokens, call.output_tokens) if estimated else (input_tokens or 0, output_tokens or 0)
        price = call.setting.price
        cost = price.of(into, out) if price else None
        with self._connection.transaction():
            self._connection.execute(_SETTLE, (state, into, out, cost, estimated, call.call_id))
            payload: Facts = {"prompt_sha256": call.prompt_hash, "input_tokens": into, "output_tokens": out}
            self._append("llm.end", call, payload, result="ok" if state == "answered" else state)

    def _append(self, action: str, call: Call, payload: Facts, from_: str | None = None, result: str = "ok") -> None:
        subject, to = f"llm_call:{call.call_id}", call.setting.connection
        append(
            self._connection,
            AuditEvent(self._actor, action, subject, from_=from_, to=to, payload=payload, result=result),
        )


def _used_up(used: str, wanted: str, budget: str) -> str:
    return (
        f"The month's budget for language models is used up: {used} are used or reserved, this call could use "
        f"{wanted}, and ONEFOLD_LLM_BUDGET is {budget}. No model was asked. Raise it, or wait for the next month (UTC)."
    )
