"""The register API as an ASGI application."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import psycopg
from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match, Route

from onefold import __version__
from onefold.catalog.reader import Catalog
from onefold.errors import Fatal
from onefold.http.endpoint import Endpoint
from onefold.http.limit import Limiter
from onefold.orchestration.oidc.provider import IdentityProvider
from onefold.serve import check_routes, company_routes, docs_page, register_routes, service_routes, watch_routes
from onefold.serve.accounting import Accounting
from onefold.serve.answer_counts import AnswerCounts
from onefold.serve.askers import askers_of
from onefold.serve.attributes import ENTITIES, EntityRules
from onefold.serve.bulk import Checks
from onefold.serve.clients import Clients
from onefold.serve.companies import Companies
from onefold.serve.database import Database
from onefold.serve.facts import Facts
from onefold.serve.gate import Gate
from onefold.serve.openapi import describe
from onefold.serve.problem import Problem
from onefold.serve.registers import Registers
from onefold.serve.services import Services
from onefold.serve.signing import Signing
from onefold.serve.tokens import Realm, Tokens
from onefold.serve.upkeep import (
    CHAIN_EVERY,
    FOLLOW_EVERY,
    FORGET_EVERY,
    TELL_EVERY,
    WORK_EVERY,
    chain_requests,
    follow_publishes,
    forget_old,
    repeat,
)
from onefold.serve.webhooks import Post, post_publicly, tell_changes

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Setup:
    """What the service needs: the warehouse's URLs as onefold_api and onefold_api_writer; where a system is; whose
    tokens are accepted, beside keys; with what webhooks are signed; where its answers are counted."""

    catalog: Catalog
    url: str = field(repr=False)
    writer_url: str = field(repr=False)
    endpoint_of: Callable[[str], Endpoint]
    realm: Realm | None = None
    signing: Signing | None = None
    limiter: Limiter | None = None
    people: IdentityProvider | None = None
    post: Post = post_publicly
    counts: AnswerCounts = field(default_factory=AnswerCounts)


def application(setup: Setup) -> FastAPI:
    """The service, which lives as long as its lifespan. Raises Fatal where the catalogue lacks its entities."""
    if missing := sorted(ENTITIES - set(setup.catalog.entities)):
        raise Fatal(f"The register API answers from catalog/entities/{missing[0]}.yaml, which is not there.")
    database = Database(setup.url, setup.writer_url)
    rules = EntityRules(setup.catalog, "company")
    registers = Registers(setup.catalog, askers_of(setup.catalog), setup.endpoint_of, setup.writer_url, setup.limiter)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        try:
            await follow_publishes(database, rules)
        except psycopg.Error as error:  # another process may be at it: it is tried again
            log.warning("The register API has not followed the newest publish yet: %s", type(error).__name__)
        tasks = [
            asyncio.create_task(repeat(FOLLOW_EVERY, lambda: follow_publishes(database, rules))),
            asyncio.create_task(repeat(FORGET_EVERY, lambda: forget_old(database))),
            asyncio.create_task(repeat(CHAIN_EVERY, lambda: chain_requests(database))),
            asyncio.create_task(repeat(WORK_EVERY, checks.work)),
        ]
        if signing := setup.signing:
            tell = repeat(TELL_EVERY, lambda: tell_changes(database, signing, setup.post))
            tasks.append(asyncio.create_task(tell))
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await chain_requests(database)
            registers.close()
            await database.close()

    app = FastAPI(
        title="Onefold register API",
        version=__version__,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
    )
    companies = Companies(database, registers, rules)
    checks = Checks(database, companies, company_routes.as_company)
    app.state.services = Services(
        setup.catalog, database, registers, companies, Facts(database, registers), rules, checks, setup.signing
    )
    app.state.follow = lambda: follow_publishes(database, rules)
    for module in (company_routes, register_routes, check_routes, watch_routes, service_routes):
        app.include_router(module.router)
    app.include_router(service_routes.public)
    app.add_exception_handler(HTTPException, _http_problem)
    app.add_exception_handler(Problem, _problem)
    describe(app, rules.entity)
    docs_page.add_to(app)
    tokens = Tokens(setup.realm) if setup.realm else None
    clients = Clients(database, tokens, people=setup.people)
    app.add_middleware(Gate, clients=clients, accounting=Accounting(database), counts=setup.counts)
    return app


async def _problem(request: Request, error: Exception) -> Response:
    if not isinstance(error, Problem):
        raise error
    return error.response()


async def _http_problem(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    headers = dict(error.headers or {})
    if error.status_code == 405:
        headers["Allow"] = ", ".join(_methods(request))
        return Problem(405, "wrong-method", f"Use {headers['Allow']}.", headers).response()
    if error.status_code == 404:
        return Problem(404, "no-such-page", "See /docs for the addresses that there are.").response()
    return Problem(error.status_code, "bad-request", str(error.detail), headers).response()


def _methods(request: Request) -> list[str]:
    """All that the address takes: each of its routes knows its own."""
    found = {
        method
        for route in request.app.routes
        if isinstance(route, Route) and route.matches(request.scope)[0] is not Match.NONE
        for method in route.methods or ()
    }
    return sorted(found)
