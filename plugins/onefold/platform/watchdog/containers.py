"""The watchdog of docker-compose.yml: a container of its own, which Docker restarts when it ends.

It sees the other containers through their heartbeats and answers alone, and restarts none: it tells.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence

from onefold.errors import Fatal
from onefold.platform.watchdog.alarms import Alarms
from onefold.platform.watchdog.journal import read_journal
from onefold.platform.watchdog.limits import read_limits
from onefold.platform.watchdog.loop import Watchdog
from onefold.platform.watchdog.observe import HEARTBEATS, Observer, connect_to, limits_setting, ui_answers
from onefold.platform.watchdog.readers import OverdueReaders
from onefold.platform.watchdog.snapshot import ServiceSeen
from onefold.settings import notify_setting, secret, settings, warehouse_url

AIRFLOW_URL = "ONEFOLD_AIRFLOW_DATABASE_URL"
API_URL = "AIRFLOW__CORE__EXECUTION_API_SERVER_URL"


def watchdog_of_containers() -> Watchdog:
    """Made from the container's environment. Raises Fatal when a variable is missing.

    How many tasks the workers can run is not known, so tasks stand still here only when none runs at all.
    """
    airflow = secret(AIRFLOW_URL)
    if not airflow:
        raise Fatal(f"Neither {AIRFLOW_URL} nor {AIRFLOW_URL}_FILE is set: the watchdog cannot see Airflow's database.")
    urls = {"airflow": airflow.replace("postgresql+psycopg2:", "postgresql:", 1), "warehouse": warehouse_url()}
    ui_url = os.environ.get(API_URL, "").removesuffix("/").removesuffix("/execution")

    def services(beats: Mapping[str, str], look: int) -> Sequence[ServiceSeen]:
        found = [ServiceSeen(name, "container", True, beats.get(job)) for name, job in HEARTBEATS.items()]
        sign = f"look {look}" if ui_answers(ui_url) else None
        return [*found, ServiceSeen("api-server", "container", True, sign)]

    observer = Observer(lambda database: connect_to(urls[database]), services, 1, lambda: True)
    alarms = Alarms(urls["warehouse"], notify_setting(), {})
    limits = read_limits(limits_setting())
    readers = OverdueReaders(lambda: connect_to(urls["warehouse"]), limits.readers)
    return Watchdog(settings().home, limits, observer.look, None, alarms, readers)


def is_alive() -> bool:
    """Whether this container's watchdog has looked lately, for its health check."""
    journal = read_journal(settings().home)
    return journal is not None and not journal.is_silent(time.time())
