"""Stand-in of Anthropic's Admin API: the usage report of messages and the cost report.

Wire: platform.claude.com/docs, "Get Messages Usage Report" and "Get Cost Report" (buckets of a day, `starting_at` and
`ending_at` as RFC 3339, `next_page`; amounts are decimal strings of cents: "123.45" is 1.23 USD). The default workspace
has no id.
"""

import os
from datetime import date, datetime
from decimal import Decimal

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.stand_in import StandIn
from sandbox.wire.day_buckets import DAY, BadPage, midnight, page_of, whole_days
from sandbox.world import Book, Entry, World
from sandbox.world.llm import day_of, dollars, usage, usages

ADMIN_KEY = "sandbox-secret"
MOST = 31
MODELS = (
    (None, "claude-sonnet-4-5-20250929", "Claude Sonnet 4.5", Decimal("3.00"), Decimal("15.00")),
    ("wrkspc_01OnefoldAnalytics", "claude-haiku-4-5-20251001", "Claude Haiku 4.5", Decimal("1.00"), Decimal("5.00")),
)
Row = dict[str, object]


def _at(day: date) -> str:
    return f"{day.isoformat()}T00:00:00Z"


def _description(number: int) -> str:
    """Of a cost row: two for each row of usage."""
    name = MODELS[number // 2 % len(MODELS)][2]
    return f"{name} Usage - {'Output' if number % 2 else 'Input'} Tokens"


USAGE = Book(
    "anthropic",
    "usage",
    usages,
    key=lambda number: (_at(day_of(number)), *MODELS[number % len(MODELS)][:2]),
    broken=("tokens_negative", "tokens_not_a_number"),
    changes=False,
    deletes=False,
)
COST = Book(
    "anthropic",
    "cost",
    lambda companies: 2 * usages(companies),
    key=lambda number: (_at(day_of(number // 2)), MODELS[number // 2 % len(MODELS)][0], _description(number)),
    broken=("amount_not_a_number", "currency_malformed"),
    changes=False,
    deletes=False,
)


class Anthropic:
    """The organisation."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._page = int(os.environ.get("SANDBOX_ANTHROPIC_PAGE", str(MOST)))

    async def messages(self, request: Request) -> Response:
        return self._report(request, USAGE, {"workspace_id", "model"})

    async def costs(self, request: Request) -> Response:
        return self._report(request, COST, {"workspace_id", "description"})

    def _report(self, request: Request, book: Book, groups: set[str]) -> Response:
        asked = request.query_params
        if request.headers.get("x-api-key") != ADMIN_KEY:
            return _error(401, "authentication_error", "invalid x-api-key")
        if "anthropic-version" not in request.headers:
            return _error(400, "invalid_request_error", "anthropic-version: header is required")
        if set(asked.getlist("group_by[]")) != groups:
            return _error(400, "invalid_request_error", f"this sandbox groups by {' and '.join(sorted(groups))} only")
        limit = int(asked.get("limit", "7"))
        if not 1 <= limit <= MOST:
            return _error(400, "invalid_request_error", f"limit: must be between 1 and {MOST}")
        start = datetime.fromisoformat(asked["starting_at"])
        end = datetime.fromisoformat(asked["ending_at"]) if "ending_at" in asked else self._world.now()
        days = (day for day in whole_days(start, end) if midnight(day + DAY) <= end)
        show = self._usage if book is USAGE else self._cost
        day = (lambda entry: day_of(entry.number)) if book is USAGE else (lambda entry: day_of(entry.number // 2))
        try:
            page, following = page_of(
                self._world, book.name, day, show, days, min(limit, self._page), asked.get("page")
            )
        except BadPage:
            return _error(400, "invalid_request_error", "page: invalid")
        buckets = [{"starting_at": _at(day), "ending_at": _at(day + DAY), "results": results} for day, results in page]
        return JSONResponse({"data": buckets, "has_more": following is not None, "next_page": following})

    def _usage(self, entry: Entry) -> Row:
        used = usage(self._world.seed, "anthropic", entry.number)
        workspace, model, *_ = MODELS[used.place]
        shown: Row = {
            "uncached_input_tokens": used.input_tokens,
            "cache_creation": {"ephemeral_1h_input_tokens": 0, "ephemeral_5m_input_tokens": used.cached_tokens // 4},
            "cache_read_input_tokens": used.cached_tokens,
            "output_tokens": used.output_tokens,
            "server_tool_use": {"web_search_requests": used.requests % 7},
            "api_key_id": None,
            "workspace_id": workspace,
            "model": model,
            "service_tier": None,
            "context_window": None,
        }
        match entry.broken:
            case "tokens_negative":
                shown["output_tokens"] = -used.output_tokens
            case "tokens_not_a_number":
                shown["output_tokens"] = "n/a"
        return shown

    def _cost(self, entry: Entry) -> Row:
        used = usage(self._world.seed, "anthropic", entry.number // 2)
        workspace, model, _, price_in, price_out = MODELS[used.place]
        output = entry.number % 2
        amount = dollars(used.output_tokens, price_out) if output else dollars(used.input_tokens, price_in)
        return {
            "currency": "dolar" if entry.broken == "currency_malformed" else "USD",
            "amount": "?" if entry.broken == "amount_not_a_number" else f"{(amount * 100).normalize():f}",
            "workspace_id": workspace,
            "description": _description(entry.number),
            "cost_type": "tokens",
            "context_window": "0-200k",
            "model": model,
            "service_tier": "standard",
            "token_type": "output_tokens" if output else "uncached_input_tokens",
        }


def _error(status: int, kind: str, message: str) -> Response:
    return JSONResponse({"type": "error", "error": {"type": kind, "message": message}}, status)


def routes(world: World) -> list[Route]:
    """The routes below /anthropic."""
    organisation = Anthropic(world)
    return [
        Route("/v1/organizations/usage_report/messages", organisation.messages),
        Route("/v1/organizations/cost_report", organisation.costs),
    ]


STAND_IN = StandIn("anthropic", routes, sign_in=(None, ADMIN_KEY), books=(USAGE, COST))
