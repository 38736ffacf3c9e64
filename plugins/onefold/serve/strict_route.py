"""Routes that refuse what they do not know: a parameter or a field that nobody reads is a mistake of the sender."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response

from onefold.serve.problem import Problem


class StrictRoute(APIRoute):
    """Answers 400 for query parameters that are unknown or given twice, and for values that do not fit."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()
        known = {each.alias for each in self.dependant.query_params}

        async def strict(request: Request) -> Response:
            given = [name for name, _ in request.query_params.multi_items()]
            unknown = sorted(set(given) - known)
            if unknown or len(set(given)) < len(given):
                wrong = "Unknown query parameters" if unknown else "Query parameters that are given twice"
                takes = ", ".join(sorted(known)) or "none"
                raise Problem(400, "bad-request", f"{wrong} are refused. This address takes: {takes}.")
            try:
                return await handle(request)
            except RequestValidationError as error:
                raise Problem(400, "bad-request", _said(error)) from None

        return strict


def _said(error: RequestValidationError) -> str:
    """Where it is wrong and why, without the value."""
    wrong = [f"{'.'.join(str(part) for part in each['loc'])}: {each['msg']}" for each in error.errors()]
    return "; ".join(wrong[:5])
