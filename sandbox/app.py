"""The one ASGI application: every stand-in under its own path, each behind its faults."""

from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route, Router

from sandbox import control, krs, regon, salesforce, sap
from sandbox.faults import FaultBoard, FaultMiddleware
from sandbox.world import World
from sandbox.world.records import System


def create_app(world: World, faults: FaultBoard, state: Path) -> Starlette:
    """The sandbox over this world: /salesforce, /sap, /krs, /regon, /control and /health.

    `state` is the folder where the truth's token goes when the environment gives none.
    """
    systems: dict[System, list[Route]] = {
        "salesforce": salesforce.routes(world),
        "sap": sap.routes(world),
        "krs": krs.routes(world),
        "regon": regon.routes(world),
    }
    mounts = [
        Mount(f"/{system}", app=FaultMiddleware(Router(routes), system, faults)) for system, routes in systems.items()
    ]

    async def health(_: Request) -> Response:
        return JSONResponse({"status": "ok", "companies": len(world.companies)})

    return Starlette(
        routes=[
            Route("/health", health),
            Mount("/control", routes=control.routes(world, faults, state)),
            *mounts,
        ]
    )
