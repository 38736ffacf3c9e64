"""WS-Security: what a SOAP message says of its sender, a user name and password or an X.509 signature.

Source: OASIS, Web Services Security 1.0, UsernameToken Profile and X.509 Certificate Token Profile. The key and the
certificate are PEM texts of the Airflow connection's extra, never files.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import xmlsec
from lxml import etree
from zeep import ns
from zeep.wsse.compose import Compose
from zeep.wsse.signature import BinarySignature, MemorySignature
from zeep.wsse.username import UsernameToken
from zeep.wsse.utils import WSU, get_security_header

from onefold.catalog.system import System
from onefold.errors import Fatal
from onefold.http.endpoint import Endpoint

LIFE = timedelta(minutes=5)
"""How long after it was written a message may arrive."""

Written = tuple[etree._Element, dict[str, str]]


def security(system: System, endpoint: Endpoint) -> Compose | None:
    """What zeep applies to each message it writes; None where the system's auth says nothing of WS-Security.

    Raises Fatal when the connection lacks what it takes.
    """
    extra = endpoint.extra or {}
    match system.auth.kind:
        case "username_token":
            given = {"login": endpoint.login, "password": endpoint.password}
            _complete(system, given)
            return Compose([_Timestamp(), UsernameToken(endpoint.login, endpoint.password)])
        case "x509":
            given = {f'"{name}" in its extra': extra.get(name) for name in ("private_key", "certificate")}
            _complete(system, given)
            return Compose([_Timestamp(), _Signature(system, extra)])
    return None


class _Timestamp:
    """When the message was written and until when it is good; a signature after it covers it."""

    def apply(self, envelope: etree._Element, headers: dict[str, str]) -> Written:
        now = datetime.now(UTC).replace(microsecond=0, tzinfo=None)
        created, expires = (f"{at.isoformat()}Z" for at in (now, now + LIFE))
        get_security_header(envelope).append(WSU.Timestamp(WSU.Created(created), WSU.Expires(expires)))
        return envelope, headers


class _Signature(BinarySignature):
    """Signs body and timestamp with RSA and SHA-256, and sends the certificate along."""

    def __init__(self, system: System, extra: dict[str, str]) -> None:
        self._named, self._connection = system.system, system.connection
        password = extra.get("private_key_password") or None
        signing = xmlsec.constants.TransformRsaSha256, xmlsec.constants.TransformSha256
        # Not the parent's own: that one reads files.
        MemorySignature.__init__(self, extra["private_key"], extra["certificate"], password, *signing)

    def apply(self, envelope: etree._Element, headers: dict[str, str]) -> Written:
        try:
            BinarySignature.apply(self, envelope, headers)
        except xmlsec.Error as error:
            raise Fatal(
                f"{self._named}: the message could not be signed. Check private_key and certificate (PEM texts that "
                f"belong together) in the extra of the Airflow connection {self._connection!r}."
            ) from error
        header = get_security_header(envelope)
        # Strict layout (WS-SecurityPolicy 1.2, 6.7): a token stands before the signature that uses it.
        header.insert(0, header.find(etree.QName(ns.WSSE, "BinarySecurityToken")))
        return envelope, headers


def _complete(system: System, given: dict[str, str | None]) -> None:
    if missing := [name for name, value in given.items() if not value]:
        raise Fatal(
            f"{system.system}: the Airflow connection {system.connection!r} has no {' and no '.join(missing)}, and "
            f"auth {system.auth.kind} needs it: set it there."
        )
