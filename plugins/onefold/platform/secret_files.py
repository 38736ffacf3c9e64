"""Airflow's secrets in files that only their owner may read, each named by a command in the environment.

An environment is inherited, printed and kept: a task's is that of the scheduler. So it holds the command that reads a
secret, Airflow's own way (the suffix _CMD), and not the secret. Whoever can read files as this account can still read
them: docs/access.md.
"""

from __future__ import annotations

import hashlib
import shlex
from collections.abc import Mapping
from pathlib import Path

from onefold.platform.secrets import Secrets
from onefold.private_files import write_private

ALL = (
    "AIRFLOW__CORE__FERNET_KEY",
    "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN",
    "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_ASYNC",
)
"""What each of Airflow's services reads."""
TOKENS = ("AIRFLOW__API_AUTH__JWT_SECRET",)
"""What signs and checks tokens: the scheduler's tasks', and those of people."""
API_SERVER = ("AIRFLOW__API__SECRET_KEY",)


def commands(home: Path, secrets: Secrets, names: tuple[str, ...]) -> Mapping[str, str]:
    """The variables that make Airflow read these settings from their files. They change when the secrets do, so that
    `up` starts anew what has read the old ones."""
    known = "".join((secrets.fernet_key, secrets.jwt_secret, secrets.api_secret, secrets.database["airflow"]))
    version = hashlib.sha256(known.encode()).hexdigest()[:16]
    read = {f"{name}_CMD": f"cat {shlex.quote(str(_path(home, name)))}" for name in names}
    return {**read, "ONEFOLD_SECRETS": version}


def write(home: Path, secrets: Secrets, airflow_database: str) -> None:
    """Write all of them. `airflow_database` is the URL of Airflow's database, which begins with postgresql://."""
    location = airflow_database.removeprefix("postgresql")
    values = {
        "AIRFLOW__CORE__FERNET_KEY": secrets.fernet_key,
        # asyncpg is not needed: SQLAlchemy's psycopg dialect is both synchronous and asynchronous.
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"postgresql+psycopg2{location}",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_ASYNC": f"postgresql+psycopg{location}",
        "AIRFLOW__API_AUTH__JWT_SECRET": secrets.jwt_secret,
        "AIRFLOW__API__SECRET_KEY": secrets.api_secret,
    }
    for name, value in values.items():
        write_private(_path(home, name), value.encode())


def _path(home: Path, name: str) -> Path:
    return home / "secrets" / name.removeprefix("AIRFLOW__").lower()
