"""What the environment says of the register API: whose tokens it accepts, and with what it signs."""

from __future__ import annotations

import os

from onefold.errors import Fatal
from onefold.serve.signing import Signing
from onefold.serve.tokens import Realm
from onefold.settings import API_SIGNING_KEY, secret

_REALM = ("ONEFOLD_API_ISSUER", "ONEFOLD_API_AUDIENCE", "ONEFOLD_API_JWKS")
_SHORTEST = 32


def realm() -> Realm | None:
    """The realm whose tokens are accepted; None where none is set: then only keys are. Raises Fatal for half of one."""
    found = [os.environ.get(name, "") for name in _REALM]
    if not any(found):
        return None
    if not all(found):
        raise Fatal(f"Tokens need all of {', '.join(_REALM)}. Set the others too, or none.")
    issuer, audience, keys = found
    if "://" in keys and not keys.startswith("https://"):
        raise Fatal("ONEFOLD_API_JWKS must be an https address or the path of a file: keys that somebody can change on "
                    "their way prove nothing.")  # fmt: skip
    return Realm(issuer, audience, keys)


def signing() -> Signing | None:
    """With what webhooks are signed; None where nothing is set: then none can be made. Raises Fatal for a short key."""
    key = secret(API_SIGNING_KEY)
    if key is None:
        return None
    if len(key) < _SHORTEST:
        raise Fatal(f"{API_SIGNING_KEY} is shorter than {_SHORTEST} characters. Set it to random ones.")
    return Signing(key.encode())
