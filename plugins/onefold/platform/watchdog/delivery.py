"""`python -m onefold.platform.watchdog.delivery`: sends what is pending to the receivers of ONEFOLD_NOTIFY, and ends.

A process of its own, since it needs Airflow, which is heavy, for the receivers' connections.
"""

from __future__ import annotations

import logging
import sys

from onefold.errors import OnefoldError
from onefold.notify.alert import deliver_notifications
from onefold.notify.receiver import read_receivers
from onefold.settings import notify_setting, warehouse_url
from onefold.warehouse.connection import connect


def main() -> None:
    """Deliver until nothing is pending. Raises OnefoldError when a setting is wrong or the warehouse is away."""
    from onefold.orchestration.tasks.connections import endpoint

    receivers = [one for one in read_receivers(notify_setting(), endpoint) if one.name != "log"]
    with connect(warehouse_url(), autocommit=True) as connection:
        while deliver_notifications(connection, receivers):
            pass


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO)
    try:
        main()
    except OnefoldError as problem:
        sys.exit(f"onefold: {problem}")
