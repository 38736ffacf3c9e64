"""Every stand-in, and the Airflow connections that lead to them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import unquote, urlsplit

from sandbox.accounting import files as accounting
from sandbox.anthropic import api as anthropic
from sandbox.crbr import api as crbr
from sandbox.epuap import api as epuap
from sandbox.erp import database as erp
from sandbox.github import webhook as github
from sandbox.hr import api as hr
from sandbox.keycloak import api as keycloak
from sandbox.krs import api as krs
from sandbox.ksef import api as ksef
from sandbox.microsoft365 import api as microsoft365
from sandbox.nbp import api as nbp
from sandbox.openai import api as openai
from sandbox.regon import api as regon
from sandbox.salesforce import api as salesforce
from sandbox.sap import cost_centers as sap_service
from sandbox.sap import idocs as sap_idoc
from sandbox.sap import odata_v2 as sap
from sandbox.sap import odata_v4 as sap_v4
from sandbox.shop import api as shop
from sandbox.shop_orders import queue as shop_orders
from sandbox.stand_in import StandIn
from sandbox.stripe import api as stripe
from sandbox.vies import api as vies
from sandbox.white_list import api as white_list
from sandbox.world import World

STAND_INS: tuple[StandIn, ...] = (
    salesforce.STAND_IN,
    sap.STAND_IN,
    sap_v4.STAND_IN,
    krs.STAND_IN,
    regon.STAND_IN,
    erp.STAND_IN,
    white_list.STAND_IN,
    vies.STAND_IN,
    crbr.STAND_IN,
    epuap.STAND_IN,
    sap_service.STAND_IN,
    nbp.STAND_IN,
    ksef.STAND_IN,
    hr.STAND_IN,
    keycloak.STAND_IN,
    stripe.STAND_IN,
    microsoft365.STAND_IN,
    shop.STAND_IN,
    openai.STAND_IN,
    anthropic.STAND_IN,
    accounting.STAND_IN,
    sap_idoc.STAND_IN,
    github.STAND_IN,
    shop_orders.STAND_IN,
)


def chosen(systems: Sequence[str]) -> tuple[StandIn, ...]:
    """The stand-ins of these systems. Raises ValueError when there is none of one."""
    known = [each.system for each in STAND_INS]
    if unknown := [name for name in systems if name not in known]:
        raise ValueError(f"there is no stand-in of {', '.join(unknown)}; there are: {', '.join(known)}")
    return tuple(each for each in STAND_INS if each.system in systems)


def refresh(world: World, systems: Sequence[str]) -> None:
    """Brings the stand-ins of these systems that keep something outside of this process up to the world."""
    for stand_in in chosen(systems):
        if stand_in.refresh:
            stand_in.refresh(world)


def connections(
    url: str, databases: Mapping[str, str] | None = None, state: Path | None = None, redis_port: int | None = None
) -> dict[str, dict[str, object]]:
    """By system, the Airflow connection to its stand-in below `url`. Their limits are not the real systems'.

    `databases` has, by system, the postgresql:// URL to read a stand-in that is a database, `state` is the folder in
    which the sandbox keeps its files, and `redis_port` where its Redis listens; without them there is no connection to
    those stand-ins.
    """
    to_folders = {
        stand_in.system: {
            "conn_type": "generic",
            "host": (state / stand_in.system).absolute().as_uri(),
            "login": None,
            "password": None,
            "extra": dict(stand_in.extra),
        }
        for stand_in in STAND_INS
        if stand_in.folder and state
    }
    to_databases = {
        stand_in.system: _to_database(databases[stand_in.system], stand_in.extra)
        for stand_in in STAND_INS
        if stand_in.database and databases and stand_in.system in databases
    }
    to_redis = {
        stand_in.system: {
            "conn_type": "redis",
            "host": "127.0.0.1",
            "port": redis_port,
            "login": stand_in.sign_in[0],
            "password": stand_in.sign_in[1],
            "extra": {"rate": "1000/s", **stand_in.extra},
        }
        for stand_in in STAND_INS
        if stand_in.redis and redis_port
    }
    return (to_databases | to_folders | to_redis) | {
        stand_in.system: {
            "conn_type": "http",
            "host": f"{url}/{stand_in.system}",
            "login": stand_in.sign_in[0],
            "password": stand_in.sign_in[1],
            "extra": {"rate": "1000/s", **stand_in.extra},
        }
        for stand_in in STAND_INS
        if not (stand_in.database or stand_in.folder or stand_in.redis)
    }


def _to_database(url: str, extra: Mapping[str, str]) -> dict[str, object]:
    parts = urlsplit(url)
    return {
        "conn_type": "postgres",
        "host": parts.hostname,
        "port": parts.port,
        "schema": parts.path.removeprefix("/"),
        "login": unquote(parts.username or ""),
        "password": unquote(parts.password or ""),
        "extra": {"rate": "1000/s", **extra},
    }
