"""A signed statement of who we are (RFC 7523): a JWT that the token server checks with our public key."""

from __future__ import annotations

import base64
import secrets
import time
from collections.abc import Mapping
from datetime import timedelta

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

from onefold.errors import Fatal
from onefold.http.sign_in.contract import Connection

_CURVES = {"ES256": 256, "ES384": 384}
"""Bits of the curve that an algorithm's keys are on; the others are RSA's."""


def assertion(
    connection: Connection,
    algorithm: str,
    issuer: str,
    subject: str | None,
    audience: str,
    lifetime: timedelta,
    claims: Mapping[str, str],
) -> str:
    """The JWT, signed with private_key of the connection's extra.

    Its head names the key: private_key_id of the extra, or the hash of its certificate. Raises Fatal when the key is
    none, or does not fit the algorithm.
    """
    (pem,) = connection.need("private_key")
    head = {"alg": algorithm, "typ": "JWT"}
    if key_id := connection.get("private_key_id"):
        head["kid"] = key_id
    try:
        if certificate := connection.get("certificate"):
            digest = x509.load_pem_x509_certificate(certificate.encode()).fingerprint(hashes.SHA256())
            head["x5t#S256"] = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        key = _key(pem, connection.get("private_key_password"), algorithm)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:  # their words may quote the key
        raise Fatal(
            f"{connection.named}: no assertion can be signed with {algorithm} ({type(error).__name__}). Check "
            "private_key, and private_key_password and certificate where there are such, in the extra of the Airflow "
            f"connection {connection.name!r} (PEM texts), and auth.algorithm in the system's YAML."
        ) from None
    now = int(time.time())
    said = {"iss": issuer, "aud": audience, "iat": now, "exp": now + round(lifetime.total_seconds())}
    about = {"sub": subject} if subject else {}
    # jti tells this assertion from one that was stolen and is shown again (RFC 7523, 3)
    return jwt.encode(head, {**said, **about, "jti": secrets.token_urlsafe(24), **claims}, key, algorithms=[algorithm])


def _key(pem: str, password: str | None, algorithm: str) -> RSAKey | ECKey:
    """The key. Raises ValueError when it is not one for the algorithm."""
    key = serialization.load_pem_private_key(pem.encode(), password.encode() if password else None)
    plain = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    if isinstance(key, ec.EllipticCurvePrivateKey) and key.curve.key_size == _CURVES.get(algorithm):
        return ECKey.import_key(plain)
    if isinstance(key, rsa.RSAPrivateKey) and algorithm not in _CURVES:
        return RSAKey.import_key(plain)
    raise ValueError("a key of another kind")
