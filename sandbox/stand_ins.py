"""Every stand-in, and the Airflow connections that lead to them."""

from __future__ import annotations

from sandbox import krs, regon, salesforce, sap
from sandbox.stand_in import StandIn

STAND_INS: tuple[StandIn, ...] = (
    salesforce.STAND_IN,
    sap.STAND_IN,
    krs.STAND_IN,
    regon.STAND_IN,
)
BOOKS = tuple(book for stand_in in STAND_INS for book in stand_in.books)


def connections(url: str) -> dict[str, dict[str, object]]:
    """By system, the Airflow connection to its stand-in below `url`. Their limits are not the real systems'."""
    return {
        stand_in.system: {
            "conn_type": "http",
            "host": f"{url}/{stand_in.system}",
            "login": stand_in.sign_in[0],
            "password": stand_in.sign_in[1],
            "extra": {"rate": "1000/s", **stand_in.extra},
        }
        for stand_in in STAND_INS
    }
