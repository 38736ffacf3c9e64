"""The one ASGI application: every stand-in under its own path, each behind its faults."""

from collections.abc import Sequence
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route, Router

from sandbox import control
from sandbox.faults.board import FaultBoard
from sandbox.faults.middleware import FaultMiddleware
from sandbox.stand_in import StandIn
from sandbox.stand_ins import refresh
from sandbox.time_stamp.authority import Authority
from sandbox.time_stamp.authority import routes as time_stamp_routes
from sandbox.world import World


def create_app(world: World, stand_ins: Sequence[StandIn], state: Path) -> Starlette:
    """The sandbox over this world: /<system> for each of these stand-ins, behind its faults, /time-stamp,
    /control and /health.

    `state` is the folder where the truth's token goes when the environment gives none.
    """
    faults = FaultBoard([each.system for each in stand_ins])
    refresh(world, faults.systems)
    mounts = [
        Mount(f"/{each.system}", app=FaultMiddleware(Router(each.routes(world)), each.system, faults))
        for each in stand_ins
    ]

    async def health(_: Request) -> Response:
        return JSONResponse({"status": "ok", "companies": len(world.companies)})

    return Starlette(
        routes=[
            Route("/health", health),
            Mount("/time-stamp", routes=time_stamp_routes(Authority(state / "time_stamp"))),
            Mount("/control", routes=control.routes(world, faults, state)),
            *mounts,
        ]
    )
