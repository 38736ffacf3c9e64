"""What a container of docker-compose.yml does before Airflow: `python -m onefold.platform.container <what>`.

databases     make Airflow's database and the warehouse on the server POSTGRES_URL, with the passwords given, and
              upgrade the warehouse's schema
ui-passwords  write the passwords of the UI's users where Airflow looks for them
watchdog      watch the other containers until SIGTERM
watchdog-is-alive  fail unless the watchdog has looked lately
"""

from __future__ import annotations

import json
import logging
import signal
import sys
import threading
from pathlib import Path

from onefold.errors import Fatal, OnefoldError
from onefold.platform.airflow import create_database
from onefold.settings import secret, with_verified_tls


def databases() -> None:
    """Safe to run again. Raises Fatal when a variable is missing or the warehouse cannot be upgraded (see
    warehouse.schema), psycopg.Error when the server refuses."""
    from onefold.warehouse.access import ROLES
    from onefold.warehouse.install import install

    server = with_verified_tls(_variable("POSTGRES_URL"))
    create_database(server, _variable("AIRFLOW_DB_PASSWORD"))
    done = install(server, {role: _variable(f"{role.upper()}_PASSWORD") for role in ROLES})
    sys.stdout.write(f"{done}\n")


def ui_passwords() -> None:
    """Write the file, readable by its owner only. Raises Fatal when a variable or a user's password is missing."""
    path = Path(_variable("AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE"))
    users = [each.split(":")[0].strip() for each in _variable("AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS").split(",")]
    given = dict(each.strip().partition(":")[::2] for each in _variable("UI_PASSWORDS").split(","))
    if without := [user for user in users if not given.get(user)]:
        raise Fatal(f"UI_PASSWORDS gives {', '.join(without)} no password. Write it as name:password,name:password.")
    path.touch(mode=0o600)
    path.chmod(0o600)
    path.write_text(json.dumps({user: given[user] for user in users}))


def watchdog() -> None:
    """Watch until SIGTERM. Raises Fatal when a setting is missing."""
    from onefold.platform.watchdog.containers import watchdog_of_containers

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    watchdog_of_containers().run(stop.wait)


def watchdog_is_alive() -> None:
    """Raises Fatal when the watchdog has not looked for too long."""
    from onefold.platform.watchdog.containers import is_alive

    if not is_alive():
        raise Fatal("The watchdog has not looked for too long. Restart it: docker compose restart watchdog.")


def _variable(name: str) -> str:
    value = secret(name)
    if not value:
        raise Fatal(
            f"Neither {name} nor {name}_FILE is set. docker-compose.yml names a file of secrets/ (bin/make-secrets)."
        )
    return value


if __name__ == "__main__":
    what = {
        "databases": databases,
        "ui-passwords": ui_passwords,
        "watchdog": watchdog,
        "watchdog-is-alive": watchdog_is_alive,
    }
    try:
        what[sys.argv[1]]()
    except OnefoldError as error:
        sys.exit(f"onefold: {error}")
