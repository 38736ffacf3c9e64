"""A certificate authority of a test's own, and certificates that it signs for this machine."""

from __future__ import annotations

import datetime as dt
import ipaddress
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


class Authority:
    """`file` has its certificate, which is what others trust."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir()
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"authority {folder.name}")])
        ca = x509.BasicConstraints(ca=True, path_length=0)
        self.file = folder / "ca.crt"
        self.file.write_bytes(self._sign(self._name, self._key, ca).public_bytes(serialization.Encoding.PEM))

    def certificate(self, address: str = "127.0.0.1") -> tuple[Path, Path]:
        """A certificate for a server at this address, and its key."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, address)])
        alternative = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))])
        public, private = self._folder / f"{address}.crt", self._folder / f"{address}.key"
        public.write_bytes(self._sign(name, key, alternative).public_bytes(serialization.Encoding.PEM))
        form, unencrypted = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        private.touch(mode=0o600)
        private.write_bytes(key.private_bytes(serialization.Encoding.PEM, form, unencrypted))
        return public, private

    def _sign(
        self, name: x509.Name, key: ec.EllipticCurvePrivateKey, extension: x509.ExtensionType
    ) -> x509.Certificate:
        now = dt.datetime.now(dt.UTC)
        made = x509.CertificateBuilder().subject_name(name).issuer_name(self._name).public_key(key.public_key())
        made = made.serial_number(x509.random_serial_number()).add_extension(extension, critical=False)
        made = made.not_valid_before(now - dt.timedelta(minutes=5)).not_valid_after(now + dt.timedelta(days=1))
        return made.sign(self._key, hashes.SHA256())
