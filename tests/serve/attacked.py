"""The register API on a socket, to be attacked from outside: python -m tests.serve.attacked URL PORT STATE."""

from __future__ import annotations

import sys
from pathlib import Path

import uvicorn

from onefold.http.endpoint import Endpoint
from onefold.http.limit import MemoryLimiter
from onefold.serve.app import Setup, application
from tests.connectors.registers import KEY, running
from tests.roles import as_role
from tests.serve.conftest import SIGNING
from tests.serve.world import CATALOG

if __name__ == "__main__":
    url, port, state = sys.argv[1], int(sys.argv[2]), Path(sys.argv[3])
    with running(state, 80, ("krs", "crbr", "regon", "vies", "white_list")) as sandbox:

        def endpoint_of(name: str) -> Endpoint:
            password = KEY if name == "regon" else None
            return Endpoint(f"{sandbox.url}/{name}", password=password, extra={"rate": "100000/s,1000000/day"})

        reading, writing = as_role(url, "onefold_api"), as_role(url, "onefold_api_writer")
        setup = Setup(
            CATALOG, reading, writing, endpoint_of, None, SIGNING, MemoryLimiter(), post=lambda url, headers, body: 204
        )
        uvicorn.run(application(setup), port=port, log_level="warning", access_log=False)
