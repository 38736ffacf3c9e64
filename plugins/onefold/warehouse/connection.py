"""Connections to the warehouse, all with the same settings."""

from __future__ import annotations

import psycopg

from onefold.errors import Retriable
from onefold.settings import current_login

# Day before month: the systems write 31.01.2026. UTC and ISO so that what we read back never depends on a machine.
# Joining a load with what is held needs memory for its keys, or it spills to disk. Our large statements move many rows
# from one table into another; PostgreSQL thinks that handing rows from core to core costs more than it does.
OPTIONS = (
    "-c TimeZone=UTC -c DateStyle=ISO,DMY -c client_min_messages=warning -c work_mem=128MB"
    " -c maintenance_work_mem=128MB -c parallel_setup_cost=0 -c parallel_tuple_cost=0"
)
"""Of every session of the engine, dbt's too."""


def connect(url: str, *, autocommit: bool = False) -> psycopg.Connection:
    """Open a connection. Raises Retriable when the warehouse cannot be reached."""
    try:
        return psycopg.connect(
            current_login(url), autocommit=autocommit, options=OPTIONS, application_name="onefold", connect_timeout=10
        )
    except psycopg.OperationalError as error:
        raise Retriable(
            f"The warehouse cannot be reached: {str(error).strip().splitlines()[0]}. "
            "See whether it is up with bin/onefold status; start it with bin/onefold up."
        ) from error
