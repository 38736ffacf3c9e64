"""The keys of the stand-in: those that others encrypt for it with, and what it encrypts with theirs."""

from __future__ import annotations

import io
import os
import zipfile
from base64 import b64decode, b64encode
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES256
from cryptography.hazmat.primitives.ciphers.modes import CBC
from cryptography.hazmat.primitives.padding import PKCS7
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

from sandbox.ksef.documents import Document, sha256

FROM, TO = datetime(2025, 1, 1, tzinfo=UTC), datetime(2035, 1, 1, tzinfo=UTC)
_OAEP = padding.OAEP(mgf=padding.MGF1(hashes.SHA256()), algorithm=hashes.SHA256(), label=None)


@dataclass
class Key:
    """One of the ministry's keys, made anew with every start."""

    usage: str

    @cached_property
    def _private(self) -> rsa.RSAPrivateKey:
        return rsa.generate_private_key(public_exponent=65537, key_size=2048)

    def opened(self, secret: str) -> bytes:
        """What was encrypted for us. Raises ValueError when it was not."""
        return self._private.decrypt(b64decode(secret, validate=True), _OAEP)

    @cached_property
    def shown(self) -> dict[str, object]:
        """PublicKeyCertificate of the OpenAPI description."""
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"sandbox KSeF {self.usage}")])
        public = self._private.public_key()
        certificate = (
            x509.CertificateBuilder(name, name, public, x509.random_serial_number(), FROM, TO)
            .sign(self._private, hashes.SHA256())
            .public_bytes(Encoding.DER)
        )
        return {
            "certificate": b64encode(certificate).decode(),
            "certificateId": sha256(certificate),
            "publicKeyId": sha256(public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)),
            "validFrom": "2025-01-01T00:00:00.0000000+00:00",
            "validTo": "2035-01-01T00:00:00.0000000+00:00",
            "usage": [self.usage],
        }


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a package, open and encrypted."""

    size: int
    hash: str
    encrypted: bytes


def packed(documents: Iterable[Document]) -> bytes:
    """The zip file of an export: an XML file for each invoice, and what KSeF says of them."""
    target, metadata = io.BytesIO(), []
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for document in documents:
            xml = document.xml()
            metadata.append(document.metadata(xml))
            archive.writestr(f"{document.entry.key}.xml", xml)
        archive.writestr("_metadata.json", msgspec.json.encode({"invoices": metadata}))
    return target.getvalue()


def parts(package: bytes, size: int, key: bytes, vector: bytes) -> list[Part]:
    """The package in pieces of at most `size` bytes, each encrypted by itself (AES-256-CBC, PKCS#7)."""
    pieces = [package[start : start + size] for start in range(0, len(package), size)]
    return [Part(len(piece), sha256(piece), _encrypted(piece, key, vector)) for piece in pieces]


def _encrypted(content: bytes, key: bytes, vector: bytes) -> bytes:
    padder, encryptor = PKCS7(128).padder(), Cipher(AES256(key), CBC(vector)).encryptor()
    return encryptor.update(padder.update(content) + padder.finalize()) + encryptor.finalize()


def token() -> str:
    """A JWT in form only: nobody but us reads it."""
    head, body, signature = (
        b64encode(each).decode().rstrip("=") for each in (b'{"alg":"HS256"}', b"{}", os.urandom(32))
    )
    return f"{head}.{body}.{signature.translate(str.maketrans('+/', '-_'))}"
