"""The drivers of the programs that analysts use, against a published warehouse with an analyst's login: PostgreSQL's
JDBC driver (DBeaver, Metabase) and its ODBC driver (Excel). They list what there is, read it, and say why not."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from psycopg import sql

from onefold.settings import ROOT
from onefold.warehouse.access import READER_LIMITS
from tests.conform.published import Published
from tests.debian import libraries, unpack
from tests.personal_login import as_login, personal_login

pytestmark = pytest.mark.peers
HERE = Path(__file__).parent
READ = (
    "conformed.customer",
    "conformed.customer_history",
    "conformed.invoice",
    "marts.receivables",
    "marts.kyc_profile",
)
COMMANDS = (
    "tables conformed",
    "tables marts",
    "columns conformed.customer",
    *(f"rows {view}" for view in READ),
    "refused select * from conformed.customer_version",
    "refused delete from marts.receivables",
    "refused set statement_timeout = '50ms'; select pg_sleep(5)",
    "rows marts.receivables",
    "sessions 40",
)


@dataclass(frozen=True)
class Driver:
    """A program that does what it reads from its standard input, and whether the driver tells comments."""

    command: tuple[str, ...]
    environment: Mapping[str, str]
    tells_comments: bool


@pytest.fixture(params=["jdbc", "odbc"])
def driver(request: pytest.FixtureRequest, tmp_path: Path) -> Driver:
    """Debian's driver, and the program that asks it."""
    return _jdbc(tmp_path) if request.param == "jdbc" else _odbc(tmp_path)


def _jdbc(cache: Path) -> Driver:
    unpack("libpostgresql-jdbc-java", cache, "(?!)")  # no Java of its own
    if not shutil.which("javac"):
        pytest.fail("This test needs a Java development kit, 17 or newer (javac). Install openjdk-17-jdk-headless.")
    classes = str(cache / "usr" / "share" / "java" / "postgresql.jar")
    # As on the machine of an analyst in Poland: the driver begins each session in its zone.
    command = ("java", "-Duser.timezone=Europe/Warsaw", "-cp", classes, str(HERE / "drivers" / "Reader.java"))
    return Driver(command, {}, tells_comments=True)


def _odbc(cache: Path) -> Driver:
    for package in ("odbc-postgresql", "libodbc2"):
        unpack(package, cache)
    packages, uv = cache / "python", ROOT / ".venv" / "uv" / "bin" / "uv"
    install = [uv, "pip", "install", "--quiet", "--require-hashes", "--system-certs", "--target", packages]
    python = ROOT / ".venv" / "bin" / "python"
    fetched = subprocess.run([*install, "--python", python, "-r", HERE / "odbc.txt"], capture_output=True, timeout=300)
    assert fetched.returncode == 0, fetched.stderr
    (library,) = cache.rglob("psqlodbcw.so")
    environment = {"LD_LIBRARY_PATH": libraries(cache), "PYTHONPATH": str(packages), "ODBC_DRIVER": str(library)}
    return Driver((str(python), str(HERE / "drivers" / "reader.py")), environment, tells_comments=False)


@pytest.fixture
def login(published: Published, tmp_path: Path) -> Iterator[dict[str, str]]:
    """An analyst's, as libpq's environment variables."""
    with personal_login(published.url, tmp_path / "home", "dora.driver", "--role", "analyst") as made:
        yield made


def test_a_driver_lists_and_reads_what_analysts_may_read_and_says_why_not(
    published: Published, login: dict[str, str], driver: Driver
) -> None:
    done = subprocess.run(
        driver.command,
        input="\n".join(COMMANDS),
        env={"PATH": os.environ["PATH"], **login, **driver.environment},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    answers = [line.split("\t") for line in done.stdout.splitlines()]

    def answered(kind: str) -> dict[str, str]:
        return {name: text for said, name, text in answers if said == kind}

    views = published.connection.execute("select viewname from pg_views where schemaname in ('conformed', 'marts')")
    assert answered("table").keys() == {name for (name,) in views}
    columns = published.connection.execute(
        "select attname from pg_attribute where attrelid = 'conformed.customer'::regclass and attnum > 0"
        " and not attisdropped order by attnum"
    )
    assert list(answered("column")) == [name for (name,) in columns]
    if driver.tells_comments:
        assert "" not in [*answered("table").values(), *answered("column").values()]
    with as_login(login) as analyst:
        counted = {view: analyst.execute(_count(view)).fetchone() for view in READ}
    assert {view: (int(count),) for view, count in answered("rows").items()} == counted
    refusals = [(state, text) for said, state, text in answers if said == "refused"]
    assert [state for state, _ in refusals] == ["42501", "55000", "57014"], refusals
    for (_, said), meant in zip(
        refusals,
        (
            "permission denied for table customer_version",
            'cannot delete from view "receivables"',
            "canceling statement due to statement timeout",
        ),
        strict=True,
    ):
        assert meant in said
    most = READER_LIMITS["onefold_analyst"].sessions
    ((open_sessions, said),) = answered("full").items()
    assert int(open_sessions) == most - 1  # the program has one already
    assert 'too many connections for role "dora.driver"' in said


def _count(view: str) -> sql.Composed:
    return sql.SQL("select count(*) from {}").format(sql.Identifier(*view.split(".")))
