"""NTLM: three messages that let in a connection, not a request (MS-NLMP; MS-NTHT).

pyspnego writes the messages. Not requests-ntlm: it sends by itself, past what every attempt is bounded by, and lets
another thread take the connection between two messages.
"""

from __future__ import annotations

import base64
import re
import struct
from collections.abc import Mapping

import spnego
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from spnego.channel_bindings import GssChannelBindings
from spnego.exceptions import SpnegoError

from onefold.errors import Fatal
from onefold.http.sign_in.contract import Connection, SignIn

_NTLM = re.compile(r"(?i)(?:^|,)\s*(NTLM|Negotiate)(?:\s+([A-Za-z0-9+/]+=*))?\s*(?=,|$)")


class Ntlm(SignIn):
    r"""The connection's login (DOMAIN\user or user@domain) and password, of which only a hash about a challenge is
    sent."""

    def handshake(self) -> Handshake:
        self.connection.need("login", "password")
        return Handshake(self.connection)


class Handshake:
    """What goes on after each refusal on one connection, until it lets us in or refuses for good."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._context: spnego.ContextProxy | None = None

    def next(self, refusal: Mapping[str, str], certificate: bytes | None) -> str | None:
        """The header Authorization to send next, None when there is no more; `certificate` is the server's (DER).

        Raises Fatal when the server offers no NTLM.
        """
        offered = {found[1].lower(): found[2] for found in _NTLM.finditer(refusal.get("WWW-Authenticate", ""))}
        scheme = next((each for each in ("ntlm", "negotiate") if each in offered), None)
        if scheme is None:
            raise Fatal(
                f"{self._connection.named}: it refuses without offering NTLM. Compare auth in its YAML with what the "
                f"system asks for, and the host of the Airflow connection {self._connection.name!r}."
            )
        try:
            if self._context is None:
                login, password = self._connection.need("login", "password")
                self._context = spnego.client(
                    *(login, password),
                    protocol="ntlm",
                    options=spnego.NegotiateOptions.use_ntlm,
                    channel_bindings=_bound_to(certificate),
                )
                message = self._context.step()
            elif self._context.complete or not offered[scheme]:
                return None
            else:
                message = self._context.step(base64.b64decode(offered[scheme], validate=True))
        except (SpnegoError, ValueError, struct.error) as error:
            raise Fatal(
                f"{self._connection.named}: NTLM cannot go on ({type(error).__name__}). Check login (DOMAIN\\user) and "
                f"password of the Airflow connection {self._connection.name!r}, and that the system offers NTLM."
            ) from None
        return f"{scheme.upper() if scheme == 'ntlm' else 'Negotiate'} {base64.b64encode(message or b'').decode()}"


def _bound_to(certificate: bytes | None) -> GssChannelBindings | None:
    """What binds the sign-in to the TLS connection (RFC 5929, 4), so that nobody in between can pass it on."""
    if certificate is None:
        return None
    try:
        found = x509.load_der_x509_certificate(certificate)
        algorithm = found.signature_hash_algorithm
    except (ValueError, UnsupportedAlgorithm):
        return None
    weak = algorithm is None or isinstance(algorithm, hashes.MD5 | hashes.SHA1)
    digest = found.fingerprint(hashes.SHA256() if weak or algorithm is None else algorithm)
    return GssChannelBindings(application_data=b"tls-server-end-point:" + digest)
