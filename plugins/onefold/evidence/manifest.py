"""The manifest of a folder: the SHA-256 of each file, signed by the key that signs the checkpoints of the audit chain.

It is a signed note (https://c2sp.org/signed-note) whose first line is not the key's name, so that it is no checkpoint.
Its lines of files are those of sha256sum.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from onefold.audit import signed_note
from onefold.audit.signed_note import Signer, Verifier
from onefold.errors import Fatal

NAME = "MANIFEST"
_TITLE = "onefold evidence v1"
_DIGEST = 64


@dataclass(frozen=True)
class Checked:
    """A folder whose manifest was right: the period it is of, who made it, and how many files it has."""

    period: str
    origin: str
    files: int


def write_manifest(folder: Path, period: str, signer: Signer) -> None:
    """Sign all files that are in the folder."""
    lines = [f"{_sha256(path)}  {path.name}" for path in _files(folder)]
    text = "\n".join([_TITLE, f"origin {signer.verifier.name}", f"period {period}", *lines]) + "\n"
    (folder / NAME).write_text(signed_note.sign(text, [signer]), "utf-8")


def check_folder(folder: Path, keys: Sequence[Verifier]) -> Checked:
    """Raises Fatal, naming the file, when the folder is not what was signed, or was not signed by any of the keys."""
    path = folder / NAME
    if not path.is_file():
        raise Fatal(f"{folder} has no {NAME}: it is no evidence, or its export did not come to its end.")
    note = signed_note.read_note(path.read_text("utf-8"))
    if not any(note.signed_by(key) for key in keys):
        raise Fatal(
            f"{path} is not signed by any of the keys given: the evidence is forged, or of another installation."
        )
    title, origin, period, *lines = [*note.text.splitlines(), "", ""]
    if title != _TITLE or not origin.startswith("origin ") or not period.startswith("period "):
        raise Fatal(f"{path} is signed, but no manifest of evidence.")
    listed = {line[_DIGEST + 2 :]: line[:_DIGEST] for line in lines if line}
    found = {each.name: each for each in _files(folder)}
    for name in sorted(listed.keys() | found.keys()):
        if name not in found:
            raise Fatal(f"{folder / name} is missing.")
        if name not in listed:
            raise Fatal(f"{folder / name} was added after the folder was signed.")
        if _sha256(found[name]) != listed[name]:
            raise Fatal(f"{folder / name} was changed after the folder was signed.")
    return Checked(period.removeprefix("period "), origin.removeprefix("origin "), len(found))


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.name != NAME)


def _sha256(path: Path) -> str:
    if not path.is_file():
        raise Fatal(f"{path} is no file: a folder of evidence has files only.")
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
