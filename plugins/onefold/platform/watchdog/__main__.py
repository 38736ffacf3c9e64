"""`python -m onefold.platform.watchdog [--no-sandbox]`: what `bin/onefold up` leaves running beside Airflow."""

from __future__ import annotations

import logging
import signal
import sys
import threading

from onefold.errors import OnefoldError
from onefold.platform.airflow import WAREHOUSE_DATABASE
from onefold.platform.lifecycle import installation
from onefold.platform.watchdog.alarms import Alarms
from onefold.platform.watchdog.limits import read_limits
from onefold.platform.watchdog.loop import Watchdog, restarter
from onefold.platform.watchdog.observe import connect_to, limits_setting, observer_of
from onefold.platform.watchdog.readers import OverdueReaders
from onefold.settings import notify_setting, settings


def main() -> None:
    """Watch until SIGTERM. Raises Fatal when a setting cannot be read."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    limits = read_limits(limits_setting())
    target = installation(settings(), "--no-sandbox" not in sys.argv[1:])
    warehouse = target.postgres.url(WAREHOUSE_DATABASE, "onefold_loader")
    alarms = Alarms(warehouse, notify_setting(), target.variables)
    readers = OverdueReaders(lambda: connect_to(warehouse), limits.readers)
    here = target.settings.home
    Watchdog(here, limits, observer_of(target).look, restarter(target), alarms, readers).run(stop.wait)


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    try:
        main()
    except OnefoldError as problem:
        sys.exit(f"onefold: {problem}")
