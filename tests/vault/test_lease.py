"""A login of the warehouse's that a vault makes lasts as long as its process. With OpenBao itself and PostgreSQL:
tests/peers/test_openbao_logins.py."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from types import SimpleNamespace

import pytest

from onefold.errors import Fatal
from onefold.vault.errors import VaultDown
from onefold.vault.lease import LeasedLogin
from tests.platform.polling import until

URL = "postgresql://db.example.com:5432/warehouse?sslmode=verify-full"
SECONDS = 0.3


@dataclass
class Vault:
    """Leases of SECONDS seconds; `renews_to` is what a renewal gives, `token` how long the token lasts."""

    renews_to: float = SECONDS
    token: float = 3600
    down: bool = False
    renewed: int = 0
    sign_ins: int = 0
    revoked: list[str] = field(default_factory=list)
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def ask(self, what: str, request: Callable[[object], object]) -> object:
        if self.down:
            raise VaultDown(f"{what}: sealed")
        return request(self)

    def sign_in_anew(self) -> None:
        self.sign_ins, self.token = self.sign_ins + 1, 3600

    def read(self, path: str) -> object:
        if path != "database/creds/onefold":
            return None
        number = next(self.numbers)
        data = {"username": f"v-{number}", "password": f"p@ss/{number}"}
        return {"lease_id": f"lease {number}", "lease_duration": SECONDS, "data": data}

    @property
    def sys(self) -> SimpleNamespace:
        return SimpleNamespace(renew_lease=self._renew, revoke_lease=self.revoked.append)

    def _renew(self, _: str, increment: float) -> object:
        self.renewed += 1
        return {"lease_duration": self.renews_to}

    @property
    def auth(self) -> SimpleNamespace:
        found = {"data": {"renewable": False, "ttl": self.token}}
        return SimpleNamespace(token=SimpleNamespace(lookup_self=lambda: found))


@pytest.fixture
def vault() -> Vault:
    return Vault()


@pytest.fixture
def login(vault: Vault) -> Iterator[LeasedLogin]:
    made = LeasedLogin(vault, "database/creds/onefold")
    yield made
    made.close()


def test_a_login_is_renewed_while_its_process_lives_and_revoked_once_with_it(vault: Vault, login: LeasedLogin) -> None:
    first = login.url(URL)
    assert first == "postgresql://v-1:p%40ss%2F1@db.example.com:5432/warehouse?sslmode=verify-full"
    until(lambda: vault.renewed >= 5, 30)
    assert login.url(URL) == first
    login.close()
    login.close()
    assert vault.revoked == ["lease 1"]


def test_a_lease_that_can_be_renewed_no_more_is_followed_by_the_next(vault: Vault, login: LeasedLogin) -> None:
    first = login.url(URL)
    vault.renews_to = SECONDS / 3
    until(lambda: login.url(URL) != first, 30)
    vault.renews_to = SECONDS
    assert login.made(first)
    assert not login.made("postgresql://onefold_loader:x@db.example.com/warehouse")
    login.close()
    assert vault.revoked[:2] == ["lease 1", "lease 2"]


def test_a_token_that_is_about_to_end_would_take_its_logins_along(vault: Vault, login: LeasedLogin) -> None:
    first = login.url(URL)
    vault.token = SECONDS / 2
    until(lambda: login.url(URL) != first, 30)
    assert vault.sign_ins == 1


def test_a_vault_that_is_down_is_waited_for_and_asked_for_the_next_login_afterwards(
    vault: Vault, login: LeasedLogin
) -> None:
    first = login.url(URL)
    vault.down = True

    def is_over() -> bool:
        try:
            return login.url(URL) != first
        except VaultDown:
            return True

    until(is_over, 30)
    vault.down = False
    assert login.url(URL) != first


def test_a_path_without_credentials_is_said(vault: Vault) -> None:
    with pytest.raises(Fatal, match=r"CREDENTIALS=kv/x\): the vault has no database credentials there"):
        LeasedLogin(vault, "kv/x")
