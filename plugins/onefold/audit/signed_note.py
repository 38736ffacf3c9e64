"""Signed notes: a text with Ed25519 signatures below it, as in https://c2sp.org/signed-note and Go's sumdb."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from onefold.errors import Fatal

_ED25519 = b"\x01"
_PRIVATE = "PRIVATE+KEY+"
_SIGNATURE = "— "
MAX_NOTE_BYTES = 64_000
"""Far more than a checkpoint with sixteen signatures; a longer file is none."""


@dataclass(frozen=True)
class Verifier:
    """A public key under a name. `text` is how it is written: <name>+<key id>+<base64 of its type and its 32 bytes>."""

    name: str
    key_id: bytes
    key: bytes

    @property
    def text(self) -> str:
        return f"{self.name}+{self.key_id.hex()}+{_base64(_ED25519 + self.key)}"

    def accepts(self, text: str, signature: bytes) -> bool:
        """Whether this key made the signature over the text."""
        try:
            Ed25519PublicKey.from_public_bytes(self.key).verify(signature, text.encode())
        except (InvalidSignature, ValueError):
            return False
        return True


@dataclass(frozen=True)
class Signer:
    """A private key under a name; nothing of the key shows in a repr."""

    verifier: Verifier
    seed: bytes = field(repr=False)

    @property
    def text(self) -> str:
        """The private key as Go's note package writes it. Belongs in a file that only its owner can read."""
        return f"{_PRIVATE}{self.verifier.name}+{self.verifier.key_id.hex()}+{_base64(_ED25519 + self.seed)}"

    def sign(self, text: str) -> bytes:
        """The signature over the text, 64 bytes."""
        return Ed25519PrivateKey.from_private_bytes(self.seed).sign(text.encode())


@dataclass(frozen=True)
class Note:
    """A note as it was read: its text (which ends with a newline) and its signatures, none of them checked."""

    text: str
    signatures: Sequence[tuple[str, bytes, bytes]]
    """Name of the key, its id (4 bytes), the signature."""

    def claims(self, verifier: Verifier) -> bool:
        """Whether it carries a signature in the name of this key, right or wrong."""
        return any((name, key_id) == (verifier.name, verifier.key_id) for name, key_id, _ in self.signatures)

    def signed_by(self, verifier: Verifier) -> bool:
        """Whether it carries a signature of this key, and a right one."""
        return any(
            (name, key_id) == (verifier.name, verifier.key_id) and verifier.accepts(self.text, signature)
            for name, key_id, signature in self.signatures
        )


def generate(name: str) -> Signer:
    """A new key under this name, which holds neither white space nor a plus sign."""
    return _signer(name, Ed25519PrivateKey.generate().private_bytes_raw())


def read_signer(text: str) -> Signer:
    """A private key in its written form. Raises Fatal, without repeating it, when it is none."""
    name, key_id, key = _parts(text.removeprefix(_PRIVATE)) if text.startswith(_PRIVATE) else ("", b"", b"")
    signer = _signer(name, key) if key else None
    if signer is None or signer.verifier.key_id != key_id:
        raise Fatal(
            "A line is no Ed25519 private key of the form PRIVATE+KEY+<name>+<id>+<key>: restore it from a backup."
        )
    return signer


def read_verifier(text: str) -> Verifier:
    """A public key in its written form. Raises Fatal when it is none."""
    name, key_id, key = _parts(text)
    if not key or _key_id(name, key) != key_id:
        raise Fatal(f"{text[:200]!r} is no Ed25519 public key of the form <name>+<id>+<key>.")
    return Verifier(name, key_id, key)


def sign(text: str, signers: Sequence[Signer]) -> str:
    """The note: the text, an empty line, one line a signature."""
    lines = "".join(
        f"{_SIGNATURE}{signer.verifier.name} {_base64(signer.verifier.key_id + signer.sign(text))}\n"
        for signer in signers
    )
    return f"{text}\n{lines}"


def read_note(note: str) -> Note:
    """The note's parts. Raises Fatal when it has not the form of one."""
    head, separator, tail = note.rpartition("\n\n")
    controls = any(character < " " and character != "\n" for character in note)
    signatures = [_signature(line) for line in tail.splitlines()] if separator and tail.endswith("\n") else []
    if len(note) > MAX_NOTE_BYTES or controls or not signatures:
        raise Fatal("This is no signed note: a text, an empty line, and lines that begin with '— '.")
    return Note(head + "\n", signatures)


def _signature(line: str) -> tuple[str, bytes, bytes]:
    name, _, encoded = line.removeprefix(_SIGNATURE).partition(" ")
    value = _unbase64(encoded)
    if not line.startswith(_SIGNATURE) or not name or "+" in name or len(value) < 5:
        raise Fatal("A signature line of this note is not '— <name> <base64>'.")
    return name, value[:4], value[4:]


def _signer(name: str, seed: bytes) -> Signer:
    key = Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()
    return Signer(Verifier(name, _key_id(name, key), key), seed)


def _key_id(name: str, key: bytes) -> bytes:
    return hashlib.sha256(name.encode() + b"\n" + _ED25519 + key).digest()[:4]


def _parts(text: str) -> tuple[str, bytes, bytes]:
    """Name, key id and the 32 bytes of a written key; the last is empty when it is none."""
    name, _, rest = text.strip().partition("+")
    written_id, _, encoded = rest.partition("+")
    value = _unbase64(encoded)
    try:
        key_id = bytes.fromhex(written_id) if len(written_id) == 8 else b""
    except ValueError:
        key_id = b""
    right = bool(name) and not any(c.isspace() for c in name) and len(key_id) == 4
    return name, key_id, value[1:] if right and len(value) == 33 and value[:1] == _ED25519 else b""


def _base64(value: bytes) -> str:
    return base64.b64encode(value).decode()


def _unbase64(text: str) -> bytes:
    """The bytes; none when it is no base64."""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return b""
