"""A stand-in for OpenBao, as far as refresh tokens go: approle, tokens that end, policies, KV version 2, a seal.

Its answers are those of OpenBao 2.7.2: tests/peers/test_openbao.py runs the same tests against that one.
"""

from __future__ import annotations

import itertools
import json
import threading
from dataclasses import dataclass, field

from tests.http.web_server import Asked, Say

FOLDER = "secret/onefold/refresh-tokens"
ROLE_ID, SECRET_ID = "role-of-the-test", "s3cr3t-id-of-the-test"


@dataclass
class VaultServer:
    """What answers. `secrets` are lists of versions, None for a deleted one."""

    secrets: dict[str, list[dict[str, str] | None]] = field(default_factory=dict)
    secret_id: str = SECRET_ID
    may: tuple[str, ...] = ("create", "read", "update")
    sealed: bool = False
    logins: int = 0
    url: str = ""
    lock: threading.Lock = field(default_factory=threading.Lock)
    tokens: set[str] = field(default_factory=set)
    numbers: itertools.count[int] = field(default_factory=itertools.count)

    def settings(self) -> dict[str, str]:
        """AIRFLOW__SECRETS__BACKEND_KWARGS."""
        return {"url": self.url, "auth_type": "approle", "role_id": ROLE_ID, "secret_id": SECRET_ID}

    def seal(self) -> None:
        self.sealed = True

    def unseal(self) -> None:
        self.sealed = False

    def end_tokens(self) -> None:
        self.tokens.clear()

    def withdraw_secret_id(self) -> None:
        self.secret_id = "another"

    def allow(self, *capabilities: str) -> None:
        self.may = capabilities

    def put(self, path: str, data: dict[str, str]) -> None:
        """As somebody else who writes there; `path` is below the mount."""
        self.secrets.setdefault(path, []).append(data)

    def newest(self, path: str) -> dict[str, str] | None:
        """What stands there."""
        return self.secrets[path][-1]

    def delete(self, path: str) -> None:
        self.secrets[path][-1] = None

    def answer(self, asked: Asked) -> Say:
        with self.lock:
            return self._answer(asked, json.loads(asked.body or b"{}"))

    def _answer(self, asked: Asked, body: dict) -> Say:
        if self.sealed:
            return refused(503, "Vault is sealed")
        if asked.path == "/v1/auth/approle/login":
            return self._login(body)
        if asked.headers.get("X-Vault-Token") not in self.tokens:
            return refused(403, "permission denied")
        if asked.path == "/v1/sys/capabilities-self":
            may = {path: list(self.may) if path.startswith("secret/") else ["deny"] for path in body["paths"]}
            return said({**may, "data": may})
        mount, _, path = asked.path.removeprefix("/v1/secret/").partition("/")
        needed = "read" if asked.method == "GET" else "update" if path in self.secrets else "create"
        if mount != "data" or needed not in self.may:
            return refused(403, "1 error occurred:\n\t* permission denied\n\n")
        versions = self.secrets.get(path, [])
        if asked.method == "GET":
            if not versions:
                return Say(404, b'{"errors": []}')
            found = {
                "data": versions[-1],
                "metadata": {"version": len(versions), "deletion_time": "" if versions[-1] else "now"},
            }
            return said({"data": found}, 200 if versions[-1] else 404)
        if body.get("options", {}).get("cas") != len(versions):
            return refused(400, "check-and-set parameter did not match the current version")
        self.secrets.setdefault(path, []).append(body["data"])
        return said({"data": {"version": len(versions) + 1}})

    def _login(self, body: dict) -> Say:
        if (body.get("role_id"), body.get("secret_id")) != (ROLE_ID, self.secret_id):
            return refused(400, "invalid role or secret ID")
        self.logins += 1
        token = f"s.{next(self.numbers)}"
        self.tokens.add(token)
        return said({"auth": {"client_token": token, "lease_duration": 3600, "renewable": True}})


def said(answer: object, status: int = 200) -> Say:
    return Say(status, json.dumps(answer).encode(), {"Content-Type": "application/json"})


def refused(status: int, *errors: str) -> Say:
    return said({"errors": errors}, status)
