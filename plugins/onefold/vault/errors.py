"""What OpenBao and Vault answer when they do not do what they are asked, and what to do then. No text has a secret."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import hvac.exceptions as refused
import requests
from airflow.sdk.exceptions import AirflowSecretsBackendAccessDenied

from onefold.errors import Fatal, Retriable


class VaultDown(Retriable):
    """The vault is sealed, away or overloaded."""


class VaultRefused(Fatal):
    """The vault refuses who asks, or what is asked."""


class BackendDown(VaultDown, AirflowSecretsBackendAccessDenied):
    """VaultDown as Airflow lets it through: it goes on to no other backend."""


class BackendRefused(VaultRefused, AirflowSecretsBackendAccessDenied):
    """VaultRefused as Airflow lets it through: it goes on to no other backend."""


class Outdated(Exception):
    """A check-and-set was refused: the secret is of another version by now."""


@contextmanager
def vault_errors(url: str, what: str) -> Iterator[None]:
    """Raise what hvac raises within the block as VaultDown, VaultRefused or Outdated; `what` was to be had or done."""
    try:
        yield
    except refused.VaultError as error:
        raise _translated(error, f"{what}: the vault at {url}") from None
    except requests.RequestException as error:
        raise VaultDown(
            f"{what}: the vault at {url} cannot be reached ({type(error).__name__}). See whether it is up, and that "
            "`url` in AIRFLOW__SECRETS__BACKEND_KWARGS names it; nothing was asked of others in its place."
        ) from None
    except OSError as error:
        raise VaultRefused(
            f"{what}: a file that AIRFLOW__SECRETS__BACKEND_KWARGS names cannot be read ({type(error).__name__}"
            f"{f': {error.filename}' if error.filename else ''}). Put it there, readable for who runs the tasks."
        ) from None


@contextmanager
def backend_errors(url: str, what: str) -> Iterator[None]:
    """vault_errors, within what Airflow calls."""
    try:
        with vault_errors(url, what):
            yield
    except VaultDown as error:
        raise BackendDown(str(error)) from None
    except VaultRefused as error:
        raise BackendRefused(str(error)) from None


def _translated(error: refused.VaultError, begin: str) -> Exception:
    """By class and status; of hvac's own words only those that are known are looked at."""
    said = " ".join(map(str, error.errors or [])) or str(error)
    match error:
        case refused.InvalidRequest() if "check-and-set" in said:
            return Outdated()
        case refused.InvalidRequest() if "secret ID" in said or "role ID" in said:
            return VaultRefused(
                f"{begin} accepts the approle no more: role_id or secret_id is wrong, used up or expired. Make a new "
                "secret_id and put it where AIRFLOW__SECRETS__BACKEND_KWARGS names it (docs/secrets.md)."
            )
        case refused.InvalidRequest() if "unknown role" in said:
            return VaultRefused(f"{begin} knows no such role. Compare the path with the roles of the secrets engine.")
        case refused.VaultDown() if "sealed" in said:
            return VaultDown(f"{begin} is sealed. Unseal it (docs/secrets.md); what waits goes on by itself.")
        case refused.InvalidPath():
            return VaultRefused(
                f"{begin} has nothing at this path. Compare it with the vault's mounts, or write the secret there."
            )
        case refused.VaultDown() | refused.BadGateway() | refused.InternalServerError() | refused.RateLimitExceeded():
            return VaultDown(f"{begin} failed ({type(error).__name__}). Its own log says why; try again later.")
        case _ if type(error) is refused.VaultError and isinstance(error.__cause__, refused.Forbidden):
            return VaultRefused(f"{begin} refuses it, after a new login too. {_POLICY}")
        case refused.Forbidden() | refused.Unauthorized():
            return VaultRefused(f"{begin} refuses it. {_POLICY}")
        case _:
            return VaultRefused(f"{begin} refused it ({type(error).__name__}). Compare with docs/secrets.md.")


_POLICY = "The policy of the role that we sign in as must allow this path; a token that was given must be one still."
