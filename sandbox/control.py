"""The tests' own door into the sandbox: let time pass, inject faults, and read the truth."""

import asyncio
import hmac
import os
import secrets
from dataclasses import asdict
from functools import partial
from pathlib import Path

import requests
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.awkward import count
from sandbox.faults.board import FaultBoard
from sandbox.faults.fault import Fault
from sandbox.salesforce import api as crm
from sandbox.salesforce.customer import make_customer
from sandbox.stand_in import Happened, Unable
from sandbox.stand_ins import chosen, refresh
from sandbox.world import World

MOST = 100_000


class Amounts(BaseModel):
    """How many companies change, are deleted, are new in one advance."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    changes: int = Field(default=0, ge=0, le=MOST)
    deletions: int = Field(default=0, ge=0, le=MOST)
    new: int = Field(default=0, ge=0, le=MOST)


def truth_token(state: Path) -> str:
    """The token that opens the truth: SANDBOX_TRUTH_TOKEN, or a random one that only the owner of
    `state`/truth-token can read."""
    given = os.environ.get("SANDBOX_TRUTH_TOKEN")
    if given:
        return given
    token, path = secrets.token_urlsafe(32), state / "truth-token"
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(token)
    return token


def _refused(problems: list[dict[str, str]]) -> Response:
    return JSONResponse({"error": "invalid control input", "problems": problems}, status_code=422)


def _problems(error: ValidationError, model: type[BaseModel]) -> list[dict[str, str]]:
    """What is wrong where; the message of a wrong value names the allowed ones."""
    problems = [
        {"field": ".".join(str(step) for step in detail["loc"]) or "(body)", "wrong": detail["msg"]}
        for detail in error.errors(include_url=False, include_context=False)
    ]
    return [*problems, {"field": "(allowed)", "wrong": ", ".join(model.model_fields)}]


def _awkward(world: World) -> Response:
    counted = count(world)
    return JSONResponse({**asdict(counted), "share": counted.share})


async def _happen(world: World, board: FaultBoard, _: Request) -> Response:
    """Lets one thing happen at each stand-in that tells of it by itself."""
    able = [each.happen for each in chosen(board.systems) if each.happen]
    try:
        happened = await asyncio.gather(*(run_in_threadpool(each, world) for each in able))
    except Unable as error:
        return JSONResponse({"error": str(error)}, status_code=503)
    return JSONResponse({"happened": [_shown(each) for each in happened]})


async def _customer(request: Request) -> Response:
    """Lets a user of the CRM make a customer."""
    url = f"{request.url.scheme}://{request.url.netloc}/{crm.STAND_IN.system}"
    try:
        return JSONResponse(_shown(await run_in_threadpool(make_customer, url, crm.STAND_IN.sign_in)), status_code=201)
    except requests.RequestException as error:
        return JSONResponse({"error": f"the CRM made no customer: {type(error).__name__}"}, status_code=503)


def _shown(happened: Happened) -> dict[str, object]:
    return asdict(happened) | {"at": happened.at.isoformat()}


def routes(world: World, board: FaultBoard, state: Path) -> list[Route]:
    """The routes below /control. Input that is not allowed gets 422 with what is wrong and what is allowed."""
    token = truth_token(state)

    async def advance(request: Request) -> Response:
        try:
            amounts = Amounts.model_validate_json(await request.body() or b"{}")
            happened = world.advance(amounts.changes, amounts.deletions, amounts.new)
            refresh(world, board.systems)
            return JSONResponse(happened)
        except ValidationError as error:
            return _refused(_problems(error, Amounts))
        except ValueError as error:
            return _refused([{"field": "changes, deletions", "wrong": str(error)}])

    async def add_fault(request: Request) -> Response:
        try:
            active = board.add(Fault.model_validate_json(await request.body()))
        except ValidationError as error:
            return _refused(_problems(error, Fault))
        except ValueError as error:
            return _refused([{"field": "system", "wrong": str(error)}])
        return JSONResponse(active.shown(), status_code=201)

    async def list_faults(_: Request) -> Response:
        return JSONResponse({"faults": board.listed()})

    async def clear_faults(_: Request) -> Response:
        return JSONResponse({"cleared": board.clear()})

    async def truth(request: Request) -> Response:
        given = request.headers.get("x-truth-token", "")
        if not hmac.compare_digest(given.encode(), token.encode()):
            return JSONResponse({"error": "the truth needs the header X-Truth-Token"}, status_code=403)
        return JSONResponse(world.truth(request.query_params.get("of")))

    async def stats(_: Request) -> Response:
        return JSONResponse(board.stats())

    async def reset(_: Request) -> Response:
        board.clear()
        world.reset()
        refresh(world, board.systems)
        return JSONResponse({"companies": len(world.companies)})

    return [
        Route("/advance", advance, methods=["POST"]),
        Route("/happen", partial(_happen, world, board), methods=["POST"]),
        Route("/customer", _customer, methods=["POST"]),
        Route("/faults", add_fault, methods=["POST"]),
        Route("/faults", list_faults, methods=["GET"]),
        Route("/faults", clear_faults, methods=["DELETE"]),
        Route("/truth", truth, methods=["GET"]),
        Route("/awkward", lambda _: _awkward(world), methods=["GET"]),
        Route("/stats", stats, methods=["GET"]),
        Route("/reset", reset, methods=["POST"]),
    ]
