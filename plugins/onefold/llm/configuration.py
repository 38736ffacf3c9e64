"""Which models may be asked and how much they may cost: ONEFOLD_LLM, ONEFOLD_LLM_BUDGET, and Airflow connections."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from onefold.errors import Fatal
from onefold.http.endpoint import Endpoint

SETTING, BUDGET = "ONEFOLD_LLM", "ONEFOLD_LLM_BUDGET"
_CONNECTION = re.compile(r"[a-z][a-z0-9_]{0,50}")
_TOKENS = re.compile(r"([1-9][0-9]{0,14}) tokens")
_MONEY = re.compile(r"([0-9]{1,12}(?:\.[0-9]{1,6})?) ([A-Z]{3})")
_PRICE = re.compile(r"[0-9]{1,6}(?:\.[0-9]{1,9})?")
_MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class Price:
    """What a million tokens cost, of the question and of the answer."""

    input: Decimal
    output: Decimal
    currency: str

    def of(self, input_tokens: int, output_tokens: int) -> Decimal:
        """Exactly, in the currency."""
        return (self.input * input_tokens + self.output * output_tokens) / _MILLION


@dataclass(frozen=True, slots=True)
class ProviderSetting:
    """One provider: its Airflow connection, with the model and its price from the connection's extra."""

    connection: str
    endpoint: Endpoint
    model: str
    price: Price | None
    most_tokens_name: str
    """The parameter that bounds the answer: some models take max_completion_tokens only."""


@dataclass(frozen=True, slots=True)
class Budget:
    """What may be used in a calendar month (UTC). None: not limited by that."""

    tokens: int | None
    cost: Decimal | None
    currency: str | None


@dataclass(frozen=True, slots=True)
class LlmSetting:
    """The providers in the order in which they are asked, and the budget that they share."""

    providers: tuple[ProviderSetting, ...]
    budget: Budget


def is_on() -> bool:
    """Whether a model may be asked at all; by default none is."""
    return bool(os.environ.get(SETTING, "").strip())


def llm_setting(endpoint_of: Callable[[str], Endpoint]) -> LlmSetting:
    """What is set; `endpoint_of` gives an Airflow connection's endpoint. Raises Fatal with what to change."""
    names = [name.strip() for name in os.environ.get(SETTING, "").split(",") if name.strip()]
    if not names or len(set(names)) < len(names) or not all(map(_CONNECTION.fullmatch, names)):
        raise Fatal(
            f"{SETTING} names no Airflow connections, or one twice, or one that is not written in lower case. Set it "
            "to one or two, separated by a comma, the one to ask first first: llm,llm_second."
        )
    budget = _budget(os.environ.get(BUDGET, ""))
    return LlmSetting(tuple(_provider(name, endpoint_of(name), budget) for name in names), budget)


def _budget(text: str) -> Budget:
    tokens, cost, currency = None, None, None
    parts = [part.strip() for part in text.split(",")]
    for part in parts:
        if found := _TOKENS.fullmatch(part):
            tokens = int(found[1])
        elif found := _MONEY.fullmatch(part):
            cost, currency = Decimal(found[1]), found[2]
        else:
            raise Fatal(
                f"{BUDGET} is not set, or is no budget of a month. Set it to tokens, to money, or to both: "
                "'2000000 tokens', '20 USD', '2000000 tokens, 20 USD'. Without one no model is asked."
            )
    return Budget(tokens, cost, currency)


def _provider(name: str, endpoint: Endpoint, budget: Budget) -> ProviderSetting:
    extra = endpoint.extra or {}
    model = extra.get("model", "")
    if not model or len(model) > 200 or not model.isprintable():
        raise Fatal(f'The extra of the Airflow connection {name!r} names no model. Add {{"model": "…"}} to it.')
    price = _price(name, extra)
    if budget.currency and (price is None or price.currency != budget.currency):
        raise Fatal(
            f"{BUDGET} is in {budget.currency}, and the extra of the Airflow connection {name!r} has no price in it. "
            f'Add what a million tokens cost: {{"input_price": "0.15", "output_price": "0.60", "currency": '
            f'"{budget.currency}"}}, or give the budget in tokens.'
        )
    return ProviderSetting(name, endpoint, model, price, extra.get("max_tokens_name", "max_tokens"))


def _price(name: str, extra: dict[str, str]) -> Price | None:
    given = [extra.get(key) for key in ("input_price", "output_price", "currency")]
    if not any(given):
        return None
    into, out, currency = (each or "" for each in given)
    if not (_PRICE.fullmatch(into) and _PRICE.fullmatch(out) and re.fullmatch("[A-Z]{3}", currency)):
        raise Fatal(
            f"The price in the extra of the Airflow connection {name!r} is none. Write what a million tokens cost: "
            '{"input_price": "0.15", "output_price": "0.60", "currency": "USD"}.'
        )
    return Price(Decimal(into), Decimal(out), currency)
