"""A login of a person, made and removed as whoever runs Onefold does it: by `bin/onefold user`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from click.testing import CliRunner
from psycopg.conninfo import conninfo_to_dict

from onefold.commands.user import user
from tests.roles import as_role


@contextmanager
def personal_login(warehouse_url: str, home: Path, name: str, *options: str) -> Iterator[dict[str, str]]:
    """While it lasts there is a login of that name; what libpq reads to sign in with it, as environment variables.

    The address is the superuser's, `home` the folder of the installation whose person makes it.
    """
    at = {key: str(value) for key, value in conninfo_to_dict(warehouse_url).items()}

    environment = {
        "ONEFOLD_HOME": str(home),
        "ONEFOLD_WAREHOUSE_URL": as_role(warehouse_url, "onefold_loader"),
        "POSTGRES_URL": warehouse_url,
    }

    def run(*words: str) -> str:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("onefold.platform.warehouse.WAREHOUSE_DATABASE", at["dbname"])
            done = CliRunner(env=environment).invoke(user, list(words), catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return done.stdout

    (password,) = re.findall(r"^password: (\S+)$", run("add", name, *options), re.MULTILINE)
    try:
        yield {
            "PGHOST": at["host"],
            "PGPORT": at["port"],
            "PGDATABASE": at["dbname"],
            "PGUSER": name,
            "PGPASSWORD": password,
        }
    finally:
        run("remove", name)


def as_login(login: dict[str, str]) -> psycopg.Connection:
    """A session of the login."""
    return psycopg.connect(
        host=login["PGHOST"],
        port=login["PGPORT"],
        dbname=login["PGDATABASE"],
        user=login["PGUSER"],
        password=login["PGPASSWORD"],
        autocommit=True,
    )
