"""In an installation that has run for real, personal values and secrets stand where they must, and nowhere else."""

from __future__ import annotations

import contextlib
import json
import stat
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil
import psycopg
import pytest

from onefold.platform import airflow
from onefold.platform.postgres import Postgres
from onefold.platform.secrets import load_secrets
from onefold.settings import ROOT, Settings
from tests.acceptance.canaries import WHERE_THEY_BELONG
from tests.scheduler.demo import Demo, running
from tests.scheduler.installation import Installation
from tests.scheduler.traces import Finder, Haystack, Trace, personal_values, readable_by, rows_of

pytestmark = pytest.mark.scheduler

DATA = ("postgres", "sandbox", "typed")
"""Folders that hold records: the cluster, the source systems' own journals and files, and what tests have typed."""
KEPT_SECRET = (
    *("secrets.json", "secrets/", "sessions/", "airflow/passwords.json", "engineers-password"),
    *("audit/signing.key", "privacy/"),
)
"""Files that hold secrets: the installation's own, and those of who has signed in."""
GIVEN = ("ONEFOLD_WAREHOUSE_URL", "ONEFOLD_AUDIT_SALT", "AIRFLOW_CONN_")
"""Variables that give a process the secrets that it needs; only its own account and root can read them."""
GIVEN_ONLY = {
    "api-server": ("ONEFOLD_APPROVALS_URL",),
    "hooks": ("ONEFOLD_RECEIVER_URL",),
    "api": ("ONEFOLD_API_URL", "ONEFOLD_API_WRITER_URL", "ONEFOLD_API_SIGNING_KEY"),
    "metrics": ("ONEFOLD_METRICS_",),
    "sandbox": ("SANDBOX_",),
}


@dataclass(frozen=True)
class Search:
    """What was looked for, by what it is; where; and what was found there."""

    personal: Mapping[str, str]
    secrets: Mapping[str, str]
    places: frozenset[str]
    traces: Sequence[Trace]


@pytest.fixture(scope="module")
def search(first_demo: Demo) -> Search:
    """Airflow's database, the warehouse without its records, every file of the home but the records' own, what the
    demo has printed, and the arguments and environments of processes."""
    installation = running(first_demo.installation)
    with psycopg.connect(Postgres(installation.home, installation.pg_port).url(airflow.AIRFLOW_DATABASE)) as metadata:
        texts = [*rows_of(metadata), *files(installation.home), *around(installation)]
    texts.append(Haystack("what the demo printed", first_demo.output))
    with installation.warehouse() as warehouse:
        texts += rows_of(warehouse, frozenset(WHERE_THEY_BELONG))
        personal, secrets = personal_values(warehouse), secrets_of(installation)
    arguments = [" ".join(process.info["cmdline"] or ()) for process in psutil.process_iter(["cmdline"])]
    texts.append(Haystack("the list of processes", "\n".join(arguments)))
    traces = Finder({**personal, **secrets}).traces(texts)
    return Search(personal, secrets, frozenset(text.place for text in texts), traces)


def files(home: Path) -> Iterator[Haystack]:
    """Every file of the home but the records' own; logs, checkpoints and what dbt has written are among them."""
    for path in home.rglob("*"):
        if path.is_file() and path.relative_to(home).parts[0] not in DATA:
            yield Haystack(str(path.relative_to(home)), path.read_text(errors="replace"))


def around(installation: Installation) -> Iterator[Haystack]:
    """The environment of each process of the installation, without what its service is given on purpose."""
    records = {json.loads(path.read_text())["pid"]: path.stem for path in (installation.home / "run").glob("*.json")}
    for process in installation.processes():
        with contextlib.suppress(psutil.Error):  # it has ended meanwhile
            line = [process, *process.parents()]
            name = next((records[each.pid] for each in line if each.pid in records), "postgres")
            given = (*GIVEN, *GIVEN_ONLY.get(name, ()))
            rest = [value for variable, value in process.environ().items() if not variable.startswith(given)]
            yield Haystack(f"environment of {name}", "\n".join(rest))


def secrets_of(installation: Installation) -> Mapping[str, str]:
    """Every secret of the installation with its name, and those that the stand-ins ask for."""
    secrets = load_secrets(installation.home)
    here = Settings(ROOT, installation.home, installation.pg_port, installation.ui_port, installation.sandbox_port)
    wired = airflow.environment(here, secrets, Postgres(installation.home, installation.pg_port), sandbox=True)
    connections = {name: json.loads(value) for name, value in wired.items() if name.startswith("AIRFLOW_CONN_")}
    signed_in = (installation.home / "sessions").glob("*.json")
    return {
        **{password: f"database password of {role}" for role, password in secrets.database.items()},
        **{password: f"password of {person}" for person, password in secrets.ui.items()},
        secrets.jwt_secret: "JWT secret",
        secrets.api_secret: "API server's secret",
        secrets.fernet_key: "Fernet key",
        secrets.audit_salt: "audit salt",
        # its base64 may hold a "+" of its own, and what follows the last one may be a single letter
        (installation.home / "audit" / "signing.key").read_text().split("+", 4)[-1].strip(): "signing key",
        **{c["password"]: f"password of {name}" for name, c in connections.items() if len(c.get("password") or "") > 6},
        **{json.loads(path.read_text())["token"]: "token of who has signed in" for path in signed_in},
    }


def test_every_place_was_searched_and_what_is_there_is_found(first_demo: Demo, search: Search) -> None:
    assert len(search.personal) > 5_000 and len(search.secrets) > 20
    assert min(map(len, search.secrets)) > 6  # less would be found by chance
    assert search.places > {
        "table public.xcom",
        "table public.serialized_dag",
        "table audit.event",
        "logs/postgres.log",
    }
    assert {"environment of scheduler", "environment of api-server", "environment of postgres"} <= search.places
    assert len([place for place in search.places if place.startswith("logs/tasks/")]) > 50
    with first_demo.installation.warehouse() as warehouse:
        (staff,) = [text for text in rows_of(warehouse) if text.place == "table staging.hr__employee"]
    of_staff = {trace.what for trace in Finder(search.personal).traces([staff])}
    assert "hr.employee.customPESEL" in of_staff and len(of_staff) > 4
    assert "JWT secret" in {trace.what for trace in search.traces if trace.place == "secrets.json"}


def test_no_personal_value_stands_anywhere_else(search: Search) -> None:
    assert [trace for trace in search.traces if trace.what in set(search.personal.values())] == []


def test_no_secret_stands_anywhere_else(search: Search) -> None:
    secret = [trace for trace in search.traces if trace.what in set(search.secrets.values())]
    assert [trace for trace in secret if not trace.place.startswith(KEPT_SECRET)] == []


def test_an_auditor_reads_no_personal_value_and_no_key_that_is_one(first_demo: Demo, search: Search) -> None:
    """In what the engine writes down of its work; of entities auditors read what analysts read."""
    with first_demo.installation.warehouse() as warehouse:
        seen = list(readable_by("onefold_auditor", ("ops", "audit", "lineage"), warehouse))
    assert {text.place for text in seen if text.text} > {"ops.quarantine", "audit.event", "lineage.event"}
    assert Finder(search.personal).traces(seen) == []


def test_logs_checkpoints_and_secrets_are_their_owners_alone(first_demo: Demo) -> None:
    """All that the installation keeps, but the cluster, whose own account PostgreSQL itself guards."""
    home = first_demo.installation.home
    others = [
        f"{oct(mode)} {path.relative_to(home)}"
        for path in home.rglob("*")
        if path.relative_to(home).parts[0] not in ("postgres", "typed", "engineers-password")
        and (mode := mode_of(path)) & 0o077
    ]
    assert others == []


def mode_of(path: Path) -> int:
    """Its permissions; of a link, or a file that has gone meanwhile, none."""
    try:
        return 0 if path.is_symlink() else stat.S_IMODE(path.lstat().st_mode)
    except FileNotFoundError:
        return 0
