"""One dbt build, in this process; what dbt says of each model is its result.

dbt is imported only where it is used, because that takes seconds. The parsed project is cached in the target folder,
under a fingerprint of the project's files, so that it is parsed again only when one of them changed.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg

from onefold.errors import Fatal, Retriable
from onefold.private_files import private_folder
from onefold.settings import current_login
from onefold.warehouse.connection import OPTIONS

if TYPE_CHECKING:
    from dbt.contracts.graph.manifest import Manifest

_SOURCES = ("*.sql", "*.yml", "*.yaml")
_MAX_FAILURES = 10
_TEST_RESULT = re.compile(r"Got \d+ results?, configured to (?:fail|warn) if [!<>=0-9 ]+")
_QUOTED = re.compile(r'".*"', re.DOTALL)
_ABOUT_NAMES = re.compile(r"(?:column|relation|function|operator|schema|permission denied|syntax error|missing FROM)\b")
_SECTION = re.compile(r"^\s*(?:DETAIL|CONTEXT|HINT|LINE \d+|Key|compiled)\b", re.MULTILINE)
_ENDED = re.compile(r"canceling statement due to (?:lock|statement) timeout|deadlock detected")
"""What PostgreSQL says of a statement that was held up for too long; for how long, warehouse/access.py says."""
_SILENT = ("--quiet", "--no-print", "--log-level", "none", "--log-level-file", "none")
"""What dbt logs of a failed model is PostgreSQL's whole error, with the row."""


@dataclass(frozen=True, slots=True)
class BuildResult:
    """How long each model and test took, in seconds, by its dbt unique id."""

    seconds: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class NodeResult:
    """What dbt says of one model or test: its unique id, status, seconds, and message."""

    name: str
    status: str
    seconds: float
    message: str = ""


@dataclass(frozen=True, slots=True)
class DbtProject:
    """The dbt project, and the folder where dbt may write."""

    folder: Path
    target: Path


def build_models(
    project: DbtProject, url: str, variables: Mapping[str, object], select: Sequence[str] = ()
) -> BuildResult:
    """Build the selected models and run their data tests. Raises Fatal, naming what failed and why.

    Unit tests are left out: they test the mapping, not the data, and run with the project's tests.
    """
    from dbt.artifacts.schemas.run import RunExecutionResult
    from dbt.cli.main import dbtRunner

    private_folder(project.target)
    common = [
        *("--project-dir", str(project.folder), "--profiles-dir", str(project.folder)),
        *("--target-path", str(project.target), "--log-path", str(project.target)),
        *("--vars", json.dumps(dict(variables))),
        "--no-write-json",  # writing the whole project's manifest took a quarter of a small build
    ]
    with _environment(url):
        manifest = _manifest(project, common, os.environ["ONEFOLD_PG_DATABASE"])
        arguments = [*_SILENT, "build", *common, "--exclude-resource-type", "unit_test"]
        selection = ["--select", *select] if select else []
        outcome = dbtRunner(manifest=manifest).invoke(arguments + selection)
    if not isinstance(outcome.result, RunExecutionResult):
        raise Fatal(f"dbt failed before it built anything: {safe_dbt_message(str(outcome.exception))}.")
    return read_results(
        [
            NodeResult(each.node.unique_id, str(each.status), each.execution_time, each.message or "")
            for each in outcome.result.results
        ]
    )


def read_results(results: Sequence[NodeResult]) -> BuildResult:
    """What dbt said of every model and test. Raises Retriable when nothing failed but for what other sessions hold,
    Fatal when anything else did, or when nothing was built at all."""
    if not results:
        raise Fatal("dbt built nothing. Run 'bin/onefold generate': the catalogue's models are missing.")
    failed = [result for result in results if result.status not in ("success", "pass", "warn")]
    causes = [result for result in failed if result.status != "skipped"] or failed
    if failed:
        reasons = "; ".join(_cause(result) for result in causes[:_MAX_FAILURES])
        if all(_ENDED.search(result.message) for result in causes):
            raise Retriable(
                f"dbt: {len(causes)} of {len(results)} models and tests were held up by another session and ended, "
                f"nothing was published. {reasons}. Find who holds what they wait for in pg_locks and pg_stat_activity "
                "(somebody's open transaction?), end it, then try again."
            )
        raise Fatal(f"dbt: {len(causes)} of {len(results)} models and tests failed, nothing was published. {reasons}")
    return BuildResult({result.name: result.seconds for result in results})


def _cause(result: NodeResult) -> str:
    return f"{result.name}: {result.status}: {safe_dbt_message(result.message)}"


def safe_dbt_message(message: str) -> str:
    """What may be repeated of dbt's message on a model or a test: no value of a row.

    PostgreSQL quotes values in its message ("invalid input syntax for type date: …") and rows in DETAIL and CONTEXT;
    only where it found the statement itself wrong are what it quotes names.
    """
    head, _, rest = message.strip().partition("\n")
    if not rest:
        return head if _TEST_RESULT.fullmatch(head) else _QUOTED.sub('"…"', head)
    rest = rest.strip()
    if not _ABOUT_NAMES.match(rest):
        rest = _QUOTED.sub('"…"', rest)
    return f"{head} {_SECTION.split(rest, maxsplit=1)[0].strip()}"


def _manifest(project: DbtProject, common: list[str], database: str) -> Manifest:
    from dbt.cli.main import dbtRunner
    from dbt.contracts.graph.manifest import Manifest

    cached = project.target / f"manifest-{_fingerprint(project.folder, database)}.msgpack"
    if cached.exists():
        return Manifest.from_msgpack(cached.read_bytes())
    parsed = dbtRunner().invoke([*_SILENT, "parse", *common])
    if not isinstance(parsed.result, Manifest):
        raise Fatal(f"The dbt project cannot be parsed: {parsed.exception}. Run 'bin/onefold generate' and look again.")
    for old in project.target.glob("manifest-*.msgpack"):
        old.unlink(missing_ok=True)
    partial = cached.with_suffix(f".{os.getpid()}")
    partial.write_bytes(parsed.result.to_msgpack())
    partial.replace(cached)
    return parsed.result


def marts_fingerprint(folder: Path) -> str:
    """A hash that changes whenever a model of the marts or its description does; `folder` is the dbt project's."""
    files = sorted(file for file in (folder / "models" / "marts").iterdir() if file.suffix in (".sql", ".yml"))
    return hashlib.sha256(b"\0".join(file.read_bytes() for file in files)).hexdigest()


def _fingerprint(folder: Path, database: str) -> str:
    from dbt.version import __version__

    # A parsed model holds the database's name.
    digest = hashlib.sha256(f"{__version__}\0{database}\n".encode())
    for file in sorted(file for pattern in _SOURCES for file in folder.rglob(pattern)):
        digest.update(f"{file.relative_to(folder)}\0{file.stat().st_mtime_ns}\0{file.stat().st_size}\n".encode())
    return digest.hexdigest()[:16]


@contextmanager
def _environment(url: str) -> Iterator[None]:
    """The variables that dbt_project/profiles.yml reads; the previous ones are restored."""
    parts = psycopg.conninfo.conninfo_to_dict(current_login(url))
    variables = {
        "ONEFOLD_PG_HOST": str(parts.get("host", "127.0.0.1")),
        "ONEFOLD_PG_PORT": str(parts.get("port", 5432)),
        "ONEFOLD_PG_USER": str(parts.get("user", "")),
        "ONEFOLD_PG_PASSWORD": str(parts.get("password", "")),
        "ONEFOLD_PG_DATABASE": str(parts.get("dbname", "")),
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        "PGOPTIONS": OPTIONS,  # libpq reads it
        # The profile has no room for the root certificate, so libpq is told of both: dbt is as strict as the rest.
        **{f"PG{name.upper()}": str(parts[name]) for name in ("sslmode", "sslrootcert") if name in parts},
    }
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
