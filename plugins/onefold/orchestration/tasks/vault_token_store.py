"""Refresh tokens in a vault's KV store, version 2: each write names the version that it follows (check-and-set)."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import hvac
from hvac.exceptions import InvalidPath

from onefold.errors import Fatal
from onefold.orchestration.tasks.consent_alert import Receivers
from onefold.orchestration.tasks.token_store import LockedStore
from onefold.vault.backend import VaultBackend, vault
from onefold.vault.errors import Outdated

SETTING = "ONEFOLD_REFRESH_TOKENS"


class VaultStore(LockedStore):
    """A secret below `folder` (mount/path), with the name of the Airflow connection."""

    def __init__(self, connection_id: str, warehouse_url: str, receivers: Receivers, folder: str) -> None:
        super().__init__(connection_id, warehouse_url, receivers)
        self._mount, _, path = folder.strip("/").partition("/")
        if not path:
            raise Fatal(f"{SETTING}={folder!r} is no folder of a KV store: write <mount>/<path> (docs/secrets.md).")
        self._path = f"{path}/{connection_id}"
        self._what = f"The refresh token of the Airflow connection {connection_id!r} ({self._mount}/{self._path})"
        self._version = 0

    @cached_property
    def _vault(self) -> VaultBackend:
        return vault(SETTING)

    def read(self) -> str | None:
        """Also makes sure that it can be written: a token that was asked for and cannot be stored is lost."""
        place = f"{self._mount}/data/{self._path}"
        may = self._vault.ask(self._what, lambda client: client.sys.get_capabilities([place]))[place]
        if "root" not in may and not {"create", "update", "read"} <= set(may):
            raise Fatal(
                f"{self._what}: the vault's policy gives only {', '.join(may)} on {place}, and create, update and read "
                "are needed (docs/secrets.md). Nothing was asked of the token server."
            )
        self._version, text = self._newest()
        return text

    def write_once(self, text: str) -> None:
        try:
            self._vault.ask(
                f"{self._what} is stored",
                lambda client: client.secrets.kv.v2.create_or_update_secret(
                    self._path, {"tokens": text}, cas=self._version, mount_point=self._mount
                ),
            )
        except Outdated:
            if self._newest()[1] != text:  # else the answer to a try before this one was lost
                raise Fatal(
                    f"{self._what} was written by another process, though this one had the lock: the warehouse ended "
                    "its session meanwhile, or something else writes there. What stands there is not overwritten."
                ) from None

    def _newest(self) -> tuple[int, str | None]:
        """The version to follow and its text; a secret that somebody deleted has a version and no text."""

        def read(client: hvac.Client) -> Any:
            try:
                return client.secrets.kv.v2.read_secret_version(
                    self._path, mount_point=self._mount, raise_on_deleted_version=False
                )["data"]
            except InvalidPath as error:
                if error.errors:
                    raise  # there is no such mount
                return {"metadata": {"version": 0}, "data": None}

        found = self._vault.ask(f"{self._what} is read", read)
        return found["metadata"]["version"], (found["data"] or {}).get("tokens")
