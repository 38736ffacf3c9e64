"""Airflow's secrets backend for OpenBao and Vault: the provider's own, whose failures are told.

Airflow takes a backend that fails for one that has nothing: a sealed vault would look like a connection that nobody has
made, or bring one of long ago from Airflow's database. Airflow keeps the backend for its process, which so signs in
once, and anew when its token has ended.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import hvac
from airflow.providers.hashicorp.secrets import vault as provider
from hvac.exceptions import VaultError

from onefold.errors import Fatal
from onefold.vault.errors import VaultRefused, backend_errors, vault_errors

T = TypeVar("T")
NAME = "onefold.vault.backend.VaultBackend"


class VaultBackend(provider.VaultBackend):
    """Its settings are the provider's, and `secret_id_path`: the file with the approle's secret_id."""

    def __init__(self, secret_id_path: str | None = None, **settings: Any) -> None:
        if secret_id_path:
            with vault_errors(str(settings.get("url")), "the approle's secret_id"):
                settings["secret_id"] = Path(secret_id_path).read_text().strip()
        try:
            super().__init__(**settings)
        except (VaultError, TypeError) as error:  # of the settings alone: nothing was asked
            raise VaultRefused(
                f"AIRFLOW__SECRETS__BACKEND_KWARGS cannot be used: {error.args[0]} Compare with docs/secrets.md."
            ) from None

    def ask(self, what: str, request: Callable[[hvac.Client], T]) -> T:
        """What the vault answers; `what` is to be had or done. A token that has ended is replaced, once.

        Raises VaultDown, VaultRefused, or Outdated when a check-and-set is refused.
        """
        with vault_errors(str(self.vault_client.url), what):
            return self.vault_client._run_with_reauth(request)

    def sign_in_anew(self) -> None:
        """The next request signs in again; the token so far is good until it ends."""
        self.vault_client._invalidate_client()

    def get_conn_value(self, conn_id: str, team_name: str | None = None) -> str | None:
        with backend_errors(str(self.vault_client.url), f"the Airflow connection {conn_id!r}"):
            return super().get_conn_value(conn_id, team_name)

    def get_variable(self, key: str, team_name: str | None = None) -> str | None:
        with backend_errors(str(self.vault_client.url), f"the Airflow variable {key!r}"):
            return super().get_variable(key, team_name)

    def get_config(self, key: str) -> str | None:
        with backend_errors(str(self.vault_client.url), f"Airflow's setting {key!r}"):
            return super().get_config(key)


def vault(setting: str) -> VaultBackend:
    """The vault of this process. Raises Fatal when Airflow has none; `setting` is what wants it."""
    from airflow.sdk.execution_time.supervisor import ensure_secrets_backend_loaded  # most processes have it already

    for backend in ensure_secrets_backend_loaded():
        if isinstance(backend, VaultBackend):
            return backend
    raise Fatal(f"{setting} is set, and no vault is: set AIRFLOW__SECRETS__BACKEND={NAME} (docs/secrets.md).")
