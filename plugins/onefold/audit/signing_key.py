"""The key that signs this installation's checkpoints: two files beside them, made once, replaced only by a rotation.

signing.key holds the private key, readable by its owner alone: it is in no environment, database or log. signing.pub
holds every public key there was, oldest first: copy it to whoever verifies. The key's name is the checkpoints' origin.
Several machines get the same private key by ONEFOLD_AUDIT_SIGNING_KEY (or its _FILE) instead.
"""

from __future__ import annotations

import secrets
from pathlib import Path

from onefold.audit import signed_note
from onefold.audit.signed_note import Signer, Verifier
from onefold.errors import Fatal
from onefold.private_files import draft_private, write_private
from onefold.settings import secret

GIVEN = "ONEFOLD_AUDIT_SIGNING_KEY"
"""The variable with the private key, as a line of signing.key."""
_NAME = "onefold/audit/"


def private_file(folder: Path) -> Path:
    """The file of the private key. It holds two keys while a rotation waits for the checkpoint that both sign."""
    return folder / "signing.key"


def public_file(folder: Path) -> Path:
    """The file of the public keys."""
    return folder / "signing.pub"


def is_there(folder: Path) -> bool:
    """Whether this machine has, or had, a key."""
    return secret(GIVEN) is not None or private_file(folder).exists() or public_file(folder).exists()


def ensure_key(folder: Path) -> None:
    """Make the key where there is none yet; of two at once the first wins.

    Raises Fatal when there was one whose private half is gone: a new one would hide that.
    """
    private, public = private_file(folder), public_file(folder)
    if secret(GIVEN):
        known = public.read_text() if public.exists() else ""
        if new := "".join(f"{each.verifier.text}\n" for each in signers(folder) if each.verifier.text not in known):
            write_private(public, f"{known}{new}".encode())
        return
    if private.exists() and public.exists():
        return
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not private.exists():
        if public.exists():
            raise Fatal(
                f"{private}, which signs the audit checkpoints, is gone: restore it from a backup. If there is none, "
                "`onefold audit rotate-key --lost` begins with a new key (docs/runbooks/broken-chain.md)."
            )
        draft = draft_private(private, f"{signed_note.generate(_NAME + secrets.token_hex(8)).text}\n".encode())
        try:
            private.hardlink_to(draft)
        except FileExistsError:
            pass  # another process made it a moment ago
        finally:
            draft.unlink()
    if not public.exists():
        write_private(public, "".join(f"{signer.verifier.text}\n" for signer in signers(folder)).encode())


def signers(folder: Path) -> list[Signer]:
    """The keys that sign a checkpoint now: one, or the old and the new one while a rotation is unfinished.

    Raises Fatal when the file cannot be read as keys.
    """
    path = private_file(folder)
    given = secret(GIVEN)
    try:
        found = [signed_note.read_signer(line) for line in (given or path.read_text()).splitlines() if line]
    except OSError as error:
        raise Fatal(f"{path}, which signs the audit checkpoints, cannot be read: {error.strerror}.") from error
    except Fatal as error:
        raise Fatal(f"{GIVEN if given else path}: {error}") from error
    if not found:
        raise Fatal(f"{path} holds no key: restore it from a backup.")
    return found


def read_verifiers(path: Path) -> list[Verifier]:
    """The public keys of a file, oldest first. Raises Fatal, naming the file, when a line is none."""
    try:
        return [signed_note.read_verifier(line) for line in path.read_text().splitlines() if line]
    except (Fatal, UnicodeDecodeError) as error:
        raise Fatal(f"{path}: {error}") from error


def begin_rotation(folder: Path) -> Verifier:
    """Add a new key, so that the next checkpoint is signed by both. An interrupted rotation goes on with its own."""
    _require_own_key()
    current = signers(folder)
    if len(current) == 1:
        current = [*current, signed_note.generate(current[0].verifier.name)]
        write_private(private_file(folder), "".join(f"{signer.text}\n" for signer in current).encode())
    new = current[-1].verifier
    if new not in read_verifiers(public_file(folder)):
        write_private(public_file(folder), f"{public_file(folder).read_text()}{new.text}\n".encode())
    return new


def end_rotation(folder: Path) -> None:
    """Forget all private keys but the newest: call it once both have signed a checkpoint."""
    write_private(private_file(folder), f"{signers(folder)[-1].text}\n".encode())


def replace_lost_key(folder: Path) -> Verifier:
    """Begin with a new key after the private one was lost. The old public keys are kept in signing.pub.before-<id>.

    No old key vouches for the new one: whoever verifies must be given the new public key.
    """
    _require_own_key()
    public = public_file(folder)
    name = read_verifiers(public)[-1].name if public.exists() else _NAME + secrets.token_hex(8)
    signer = signed_note.generate(name)
    if public.exists():
        public.rename(public.with_name(f"{public.name}.before-{signer.verifier.key_id.hex()}"))
    write_private(private_file(folder), f"{signer.text}\n".encode())
    write_private(public, f"{signer.verifier.text}\n".encode())
    return signer.verifier


def _require_own_key() -> None:
    if secret(GIVEN):
        raise Fatal(
            f"The key is given by {GIVEN}, and this command replaces only one that this machine has made itself. Write "
            "the new key behind the old one there, and take the old one out after the next checkpoint."
        )
