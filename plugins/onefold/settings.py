"""Where this checkout keeps its state and which ports it uses. Everything comes from the environment or a default."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

from onefold.errors import Fatal

ROOT = Path(__file__).resolve().parents[2]
UI_TLS = ("ONEFOLD_UI_CERT", "ONEFOLD_UI_KEY", "ONEFOLD_UI_CA")
APPROVALS_URL = "ONEFOLD_APPROVALS_URL"
"""The variable with the warehouse's URL as onefold_approvals; only the API server's environment has it."""
CONSOLE_URL = "ONEFOLD_CONSOLE_URL"
"""The variable with the warehouse's URL as onefold_console, likewise."""
RECEIVER_URL = "ONEFOLD_RECEIVER_URL"
"""The variable with the warehouse's URL as onefold_receiver, for the service that receives webhooks."""
API_URLS = ("ONEFOLD_API_URL", "ONEFOLD_API_WRITER_URL")
"""The variables with the warehouse's URLs as onefold_api and onefold_api_writer, for the register API."""
API_SIGNING_KEY = "ONEFOLD_API_SIGNING_KEY"
"""The variable with what the register API signs webhooks with."""
METRICS_URL = "ONEFOLD_METRICS_URL"
"""The variable with the warehouse's URL as onefold_auditor, for the service that Prometheus scrapes."""
METRICS_TOKEN = "ONEFOLD_METRICS_TOKEN"  # noqa: S105  the variable's name
"""The variable with what a scrape must send as its bearer token."""


@dataclass(frozen=True)
class UiTls:
    """Paths of PEM files: the API server's certificate, its key, and the certificates of who signs for it ("": those
    that this machine trusts)."""

    certificate: str
    key: str
    authority: str


@dataclass(frozen=True)
class Settings:
    """Folders and ports of one installation. `home` is the only folder that is written to."""

    root: Path
    home: Path
    pg_port: int
    ui_port: int
    sandbox_port: int
    hooks_port: int = 8095
    api_port: int = 8096
    metrics_port: int = 8097
    rollback_days: int = 30
    """How long a published load can be rolled back; it is kept with the load (ops.load.rollback_until)."""

    checkpoint_places: str = ""
    """Where checkpoints of the audit chain go besides, as onefold.audit.places reads it."""
    checkpoint_authorities: str = ""
    """The PEM file with the roots of the time-stamp authorities among them."""
    ui_tls: UiTls | None = None
    """How Airflow's API server speaks TLS; None: it does not."""

    @property
    def audit_anchor(self) -> Path:
        """The file outside the database that keeps the heads of the audit chain."""
        return self.home / "audit" / "anchor.jsonl"

    @property
    def sandbox_url(self) -> str:
        return f"http://127.0.0.1:{self.sandbox_port}"

    @property
    def sandbox_redis_port(self) -> int:
        """Where the sandbox's Redis listens."""
        return self.sandbox_port + 1

    @property
    def hooks_url(self) -> str:
        return f"http://127.0.0.1:{self.hooks_port}"

    @property
    def api_url(self) -> str:
        return f"http://127.0.0.1:{self.api_port}"

    @property
    def metrics_url(self) -> str:
        return f"http://127.0.0.1:{self.metrics_port}"

    @property
    def ui_url(self) -> str:
        return f"{'https' if self.ui_tls else 'http'}://127.0.0.1:{self.ui_port}"


def settings() -> Settings:
    """Read the settings. Raises Fatal when one of them is not a number that it can be."""
    return Settings(
        root=ROOT,
        home=Path(os.environ.get("ONEFOLD_HOME", ROOT / ".onefold")).resolve(),
        pg_port=_port("ONEFOLD_PG_PORT", 54329),
        ui_port=_port("ONEFOLD_UI_PORT", 8080),
        sandbox_port=_port("ONEFOLD_SANDBOX_PORT", 8090),
        hooks_port=_port("ONEFOLD_HOOKS_PORT", 8095),
        api_port=_port("ONEFOLD_API_PORT", 8096),
        metrics_port=_port("ONEFOLD_METRICS_PORT", 8097),
        rollback_days=_days("ONEFOLD_ROLLBACK_DAYS", 30),
        checkpoint_places=os.environ.get("ONEFOLD_CHECKPOINTS", ""),
        checkpoint_authorities=os.environ.get("ONEFOLD_TSA_CA", ""),
        ui_tls=_ui_tls(),
    )


def ui_authority() -> str | bool:
    """What checks the API server's certificate (ONEFOLD_UI_CA): the path of a file, or True for what this machine
    trusts."""
    return os.environ.get("ONEFOLD_UI_CA") or True


def ui_tls_variables(tls: UiTls) -> dict[str, str]:
    """The variables that say so to another process of this installation."""
    return dict(zip(UI_TLS, (tls.certificate, tls.key, tls.authority), strict=True))


def _ui_tls() -> UiTls | None:
    paths = {name: os.environ.get(name, "") for name in UI_TLS}
    if not (paths["ONEFOLD_UI_CERT"] or paths["ONEFOLD_UI_KEY"]):
        return None
    for name, path in paths.items():
        if not path and name != "ONEFOLD_UI_CA":
            raise Fatal(f"{name} is not set. TLS of Airflow's UI needs ONEFOLD_UI_CERT and ONEFOLD_UI_KEY.")
        if path and not Path(path).is_file():
            raise Fatal(f"{name} names {path}, which is not a file. Put the PEM file there.")
    return UiTls(*(str(Path(path).resolve()) if path else "" for path in paths.values()))


def secret(variable: str) -> str | None:
    """A secret from the variable, or from the file that <variable>_FILE names, as containers mount secrets; None where
    neither is set. Raises Fatal when the file cannot be read or both are set."""
    value, path = os.environ.get(variable), os.environ.get(f"{variable}_FILE")
    if not path:
        return value or None
    if value:
        raise Fatal(f"{variable} and {variable}_FILE are both set: remove one of them.")
    try:
        return Path(path).read_text().strip() or None
    except (OSError, UnicodeDecodeError) as error:
        raise Fatal(f"{variable}_FILE names {path}, which cannot be read: {type(error).__name__}.") from error


def warehouse_url() -> str:
    """The warehouse's PostgreSQL URL (ONEFOLD_WAREHOUSE_URL, or its _FILE), as the loader role; as a login of this
    process's own where a vault makes them (ONEFOLD_DATABASE_CREDENTIALS).

    Raises Fatal when it is not set or cannot be read, Retriable when the vault is down.
    """
    url = secret("ONEFOLD_WAREHOUSE_URL")
    if not url:
        raise Fatal(
            "ONEFOLD_WAREHOUSE_URL is not set, so the warehouse cannot be found. "
            "Run through bin/onefold, or set it to postgresql://user:password@host:port/database."
        )
    if path := os.environ.get("ONEFOLD_DATABASE_CREDENTIALS"):
        from onefold.vault.lease import leased  # only where a vault is set

        url = leased(url, path)
    return with_verified_tls(url)


def current_login(url: str) -> str:
    """A URL of the warehouse, made anew where it is of a login that a vault has made and another has replaced."""
    if path := os.environ.get("ONEFOLD_DATABASE_CREDENTIALS"):
        from onefold.vault.lease import current

        return current(url, path)
    return url


def with_verified_tls(url: str) -> str:
    """The URL, with TLS that checks the server's certificate and name, where ONEFOLD_DATABASE_CA names who signs it.

    The variable is the path of a file of certificates, or `system` for those of the machine; where it is not set, the
    URL stays as it is. Raises Fatal for a URL that asks for less (sslmode).
    """
    authority = os.environ.get("ONEFOLD_DATABASE_CA")
    if not authority:
        return url
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query, keep_blank_values=True))
    if query.get("sslmode", "verify-full") != "verify-full":
        raise Fatal(
            f"ONEFOLD_DATABASE_CA wants sslmode=verify-full, but the database's URL says sslmode={query['sslmode']}. "
            "Take it out of the URL."
        )
    if authority != "system" and not Path(authority).is_file():
        raise Fatal(
            f"ONEFOLD_DATABASE_CA names {authority}, which is not a file. Put the authority's certificate there."
        )
    query |= {"sslmode": "verify-full", "sslrootcert": authority}
    return urlunsplit(parts._replace(query=urlencode(query, quote_via=quote)))


def notify_setting() -> str:
    """Who hears of alerts (ONEFOLD_NOTIFY), as onefold.notify.receiver reads it; the log where nothing is set."""
    return os.environ.get("ONEFOLD_NOTIFY", "log")


def task_time() -> timedelta:
    """How long one attempt at a task may take (ONEFOLD_TASK_HOURS, 24); a load's is limits.load of its system."""
    return timedelta(hours=_count("ONEFOLD_TASK_HOURS", 24, "hours", 1))


def hypercare_days() -> int:
    """For how many days what is new is watched more closely (ONEFOLD_HYPERCARE_DAYS, 28); 0: not at all."""
    return _count("ONEFOLD_HYPERCARE_DAYS", 28, "days", 0, ": 0 means that nothing is")


def hypercare_setting() -> str:
    """Where digests go of what somebody has signed for (ONEFOLD_HYPERCARE), as onefold.hypercare.send reads it."""
    return os.environ.get("ONEFOLD_HYPERCARE", "")


def approval_time() -> timedelta:
    """How long a task waits for somebody's approval (ONEFOLD_APPROVAL_DAYS, 14)."""
    return timedelta(days=_count("ONEFOLD_APPROVAL_DAYS", 14, "days", 1))


def plan_approval() -> int | None:
    """Above how many changed golden records a plan needs another person's approval (ONEFOLD_PLAN_APPROVAL: `always`, a
    number, or `never`, the default): -1 for always, None for never."""
    text = os.environ.get("ONEFOLD_PLAN_APPROVAL", "never")
    if text in ("never", "always"):
        return None if text == "never" else -1
    if not re.fullmatch("[0-9]{1,9}", text):
        raise Fatal(
            f"ONEFOLD_PLAN_APPROVAL={text!r} is none of never, always and a number of golden records. Set it to one."
        )
    return int(text)


def _port(variable: str, default: int) -> int:
    text = os.environ.get(variable, str(default))
    if not _DIGITS.fullmatch(text) or not 0 < int(text) < 65536:
        raise Fatal(f"{variable}={text!r} is not a port. Set it to a number between 1 and 65535.")
    return int(text)


def _days(variable: str, default: int) -> int:
    return _count(variable, default, "days", 0, ": 0 means that nothing can be rolled back")


def _count(variable: str, default: int, unit: str, least: int, remark: str = "") -> int:
    text = os.environ.get(variable, str(default))
    if not _DIGITS.fullmatch(text) or not least <= int(text) <= MOST:
        raise Fatal(f"{variable}={text!r} is not a number of {unit}. Set it to one from {least} to {MOST}{remark}.")
    return int(text)


_DIGITS = re.compile("[0-9]{1,5}")  # str.isdigit also says so of "²", which is no number
MOST = 3650
"""Days, hours: ten years are as good as for ever."""
