"""A client certificate for TLS (mTLS), from PEM texts of the Airflow connection's extra.

OpenSSL as Python has it reads keys from files only. The file that it gets is this process's alone, there for a moment,
and the key in it is encrypted with a password that never leaves memory: what a kill leaves behind is of use to nobody.
"""

from __future__ import annotations

import secrets
import ssl
import tempfile
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from urllib3.util.ssl_ import create_urllib3_context

from onefold.errors import Fatal
from onefold.http.sign_in.contract import Connection


def certificate_context(connection: Connection) -> ssl.SSLContext:
    """A context that shows the connection's certificate; whom it trusts is not in it yet.

    Raises Fatal when certificate or private_key are missing, are no PEM, or do not belong together.
    """
    certificate, key = connection.need("certificate", "private_key")
    password = connection.get("private_key_password")
    once = secrets.token_hex(32)
    context = create_urllib3_context()
    try:
        loaded = serialization.load_pem_private_key(key.encode(), password.encode() if password else None)
        encrypted = loaded.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(once.encode()),
        )
        with tempfile.TemporaryDirectory() as folder:  # 0700
            file = Path(folder, "client.pem")
            file.touch(0o600)
            file.write_bytes(certificate.encode() + b"\n" + encrypted)
            context.load_cert_chain(file, password=once)
    except (ValueError, TypeError, ssl.SSLError) as error:
        raise Fatal(
            f"{connection.named}: its client certificate cannot be used ({type(error).__name__}). Check certificate "
            "and private_key (PEM texts that belong together; private_key_password where the key has one) in the extra "
            f"of the Airflow connection {connection.name!r}."
        ) from None
    return context
