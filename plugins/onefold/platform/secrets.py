"""The generated secrets of one installation, stored in home/secrets.json, readable by its owner only."""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from onefold.errors import Fatal
from onefold.platform.people import airflow_users
from onefold.private_files import draft_private

DATABASE_ROLES = (
    "postgres",
    "airflow",
    "onefold_loader",
    "onefold_engineer",
    "onefold_analyst",
    "onefold_auditor",
    "onefold_approvals",
    "onefold_console",
    "onefold_receiver",
    "onefold_api",
    "onefold_api_writer",
    "erp",
    "erp_reader",
)


@dataclass(frozen=True)
class Secrets:
    """Generated once per installation. Nothing of it shows in a repr, so that none of it reaches a log."""

    database: Mapping[str, str] = field(repr=False)
    """Password of each database role."""
    ui: Mapping[str, str] = field(repr=False)
    """Password of each account that may sign in to the Airflow UI, and of those that once could."""
    jwt_secret: str = field(repr=False)
    api_secret: str = field(repr=False)
    fernet_key: str = field(repr=False)
    audit_salt: str = field(repr=False)


def load_secrets(home: Path) -> Secrets:
    """The secrets of this home, generated on the first call. Raises Fatal when the file cannot be understood."""
    path = home / "secrets.json"
    if not path.exists():
        _write_once(path, _generate())
    try:
        stored = Secrets(**json.loads(path.read_text()))
        roles = [role for role in DATABASE_ROLES if role not in stored.database]
        people = [name for name in airflow_users() if name not in stored.ui]
        return _with_passwords(path, stored, roles, people) if roles or people else stored
    except (ValueError, TypeError) as error:
        raise Fatal(
            f"{path} is not a secrets file of this version. Restore it from a backup, "
            "or start anew with `bin/onefold down --delete-data`."
        ) from error


def _generate() -> Secrets:
    return Secrets(
        database={role: secrets.token_urlsafe(24) for role in DATABASE_ROLES},
        ui={name: secrets.token_urlsafe(12) for name in airflow_users()},
        jwt_secret=base64.b64encode(secrets.token_bytes(64)).decode(),
        api_secret=secrets.token_urlsafe(32),
        fernet_key=base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
        audit_salt=secrets.token_hex(32),
    )


def _with_passwords(path: Path, stored: Secrets, roles: Sequence[str], people: Sequence[str]) -> Secrets:
    """An installation that is older than these roles and people gets passwords for them; all others stay."""
    complete = replace(
        stored,
        database={**stored.database, **{role: secrets.token_urlsafe(24) for role in roles}},
        ui={**stored.ui, **{name: secrets.token_urlsafe(12) for name in people}},
    )
    _draft(path, complete).replace(path)
    return complete


def _draft(path: Path, content: Secrets) -> Path:
    return draft_private(path, json.dumps(asdict(content), indent=2).encode())


def _write_once(path: Path, generated: Secrets) -> None:
    """Two first starts at once must agree on one file: it appears complete, and the first one wins."""
    path.parent.mkdir(parents=True, exist_ok=True)  # the home: the account that PostgreSQL runs under comes in
    draft = _draft(path, generated)
    try:
        if not path.exists():
            try:
                path.hardlink_to(draft)
            except FileExistsError:
                return
    finally:
        draft.unlink()
