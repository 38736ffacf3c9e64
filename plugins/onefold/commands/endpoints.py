"""The endpoint of an Airflow connection, for a command that is run outside of Airflow."""

from __future__ import annotations

import os
from functools import cache

from onefold.http.endpoint import Endpoint
from onefold.settings import settings


def endpoint_of(connection_id: str) -> Endpoint:
    """The endpoint of the connection: from the variable AIRFLOW_CONN_…, from this installation's Airflow where it runs,
    from its stand-ins, or from the secrets backend that Airflow is configured with.

    Raises Fatal when there is none of this name, or it names no host.
    """
    _prepare()
    from onefold.orchestration.tasks.connections import endpoint  # imports Airflow

    return endpoint(connection_id)


@cache
def _prepare() -> None:
    """Let Airflow's own look-up of connections find what its services find. What the caller has set goes first."""
    here = settings()
    variables = {"AIRFLOW_HOME": str(here.home / "airflow"), "AIRFLOW__LOGGING__LOGGING_LEVEL": "ERROR"}
    if (here.home / "secrets.json").exists():
        from onefold.platform import processes
        from onefold.platform.lifecycle import installation

        sandbox = processes.recorded(here.home).get("sandbox")
        runs = sandbox is not None and sandbox.leader() is not None
        variables = {**variables, **installation(here, runs).variables, "_AIRFLOW_PROCESS_CONTEXT": "server"}
    for name, value in variables.items():
        os.environ.setdefault(name, value)
