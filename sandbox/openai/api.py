"""Stand-in of OpenAI's organisation reports: usage of completions and costs.

Wire: platform.openai.com/docs/api-reference/usage (buckets of a day, `start_time` and `end_time` in seconds since 1970,
`group_by`, `has_more` and `next_page`); an admin key is the bearer token. Money is a JSON number of dollars.
"""

import os
from datetime import UTC, date, datetime
from decimal import Decimal

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.stand_in import StandIn
from sandbox.wire.day_buckets import DAY, BadPage, midnight, page_of, whole_days
from sandbox.world import Book, Entry, World
from sandbox.world.llm import day_of, dollars, usage, usages

ADMIN_KEY = "sandbox-secret"
MODELS = (
    ("proj_onefoldSupport", "gpt-4o-2024-08-06", Decimal("2.50"), Decimal("10.00")),
    ("proj_onefoldSales", "gpt-4o-mini-2024-07-18", Decimal("0.15"), Decimal("0.60")),
)
Row = dict[str, object]


def _start(day: date) -> int:
    return int(midnight(day).timestamp())


def _item(number: int) -> tuple[str, str]:
    """Project and line item of a cost row: two for each row of usage."""
    project, model, _, _ = MODELS[number // 2 % len(MODELS)]
    return project, f"{model}, {'output' if number % 2 else 'input'}"


def _usage_key(number: int) -> tuple[str, ...]:
    project, model, _, _ = MODELS[number % len(MODELS)]
    return str(_start(day_of(number))), project, model


USAGE = Book(
    "openai",
    "usage",
    usages,
    key=_usage_key,
    broken=("tokens_negative", "tokens_not_a_number"),
    changes=False,
    deletes=False,
)
COST = Book(
    "openai",
    "cost",
    lambda companies: 2 * usages(companies),
    key=lambda number: (str(_start(day_of(number // 2))), *_item(number)),
    broken=("amount_not_a_number", "currency_malformed"),
    changes=False,
    deletes=False,
)


class OpenAI:
    """The organisation."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._page = int(os.environ.get("SANDBOX_OPENAI_PAGE", "180"))

    async def completions(self, request: Request) -> Response:
        if set(request.query_params.getlist("group_by")) != {"project_id", "model"}:
            return _error(400, "This sandbox groups usage by project_id and model only.")
        return self._report(request, USAGE, 31)

    async def costs(self, request: Request) -> Response:
        if set(request.query_params.getlist("group_by")) != {"project_id", "line_item"}:
            return _error(400, "This sandbox groups costs by project_id and line_item only.")
        return self._report(request, COST, 180)

    def _report(self, request: Request, book: Book, most: int) -> Response:
        if request.headers.get("authorization") != f"Bearer {ADMIN_KEY}":
            return _error(401, "Incorrect API key provided.")
        asked = request.query_params
        limit = int(asked.get("limit", "7"))
        if not 1 <= limit <= most:
            return _error(400, f"limit must be between 1 and {most}.")
        start = datetime.fromtimestamp(int(asked["start_time"]), UTC)
        end = datetime.fromtimestamp(int(asked["end_time"]), UTC) if "end_time" in asked else self._world.now()
        days = whole_days(start, min(end, self._world.now()))
        show = self._usage if book is USAGE else self._cost
        day = (lambda entry: day_of(entry.number)) if book is USAGE else (lambda entry: day_of(entry.number // 2))
        try:
            page, following = page_of(
                self._world, book.name, day, show, days, min(limit, self._page), asked.get("page")
            )
        except BadPage:
            return _error(400, "Invalid page token.")
        buckets = [
            {"object": "bucket", "start_time": _start(day), "end_time": _start(day + DAY), "results": results}
            for day, results in page
        ]
        return JSONResponse(
            {"object": "page", "data": buckets, "has_more": following is not None, "next_page": following}
        )

    def _usage(self, entry: Entry) -> Row:
        used = usage(self._world.seed, "openai", entry.number)
        project, model, _, _ = MODELS[used.place]
        shown: Row = {
            "object": "organization.usage.completions.result",
            "input_tokens": used.input_tokens + used.cached_tokens,
            "output_tokens": used.output_tokens,
            "input_cached_tokens": used.cached_tokens,
            "input_audio_tokens": 0,
            "output_audio_tokens": 0,
            "num_model_requests": used.requests,
            "project_id": project,
            "user_id": None,
            "api_key_id": None,
            "model": model,
            "batch": None,
        }
        match entry.broken:
            case "tokens_negative":
                shown["output_tokens"] = -used.output_tokens
            case "tokens_not_a_number":
                shown["output_tokens"] = "n/a"
        return shown

    def _cost(self, entry: Entry) -> Row:
        used = usage(self._world.seed, "openai", entry.number // 2)
        _, _, price_in, price_out = MODELS[used.place]
        output = entry.number % 2
        amount = dollars(used.output_tokens, price_out) if output else dollars(used.input_tokens, price_in)
        project, item = _item(entry.number)
        return {
            "object": "organization.costs.result",
            "amount": {
                "value": "?" if entry.broken == "amount_not_a_number" else float(amount),
                "currency": "dolar" if entry.broken == "currency_malformed" else "usd",
            },
            "line_item": item,
            "project_id": project,
        }


def _error(status: int, message: str) -> Response:
    return JSONResponse(
        {"error": {"message": message, "type": "invalid_request_error", "param": None, "code": None}}, status
    )


def routes(world: World) -> list[Route]:
    """The routes below /openai."""
    organisation = OpenAI(world)
    return [
        Route("/v1/organization/usage/completions", organisation.completions),
        Route("/v1/organization/costs", organisation.costs),
    ]


STAND_IN = StandIn("openai", routes, sign_in=(None, ADMIN_KEY), books=(USAGE, COST))
