"""Which keys a verification trusts, and how a rotation hands that trust on."""

from __future__ import annotations

from collections.abc import Sequence

from onefold.audit.checkpoint import SignedCheckpoint
from onefold.audit.signed_note import Verifier


class Trust:
    """Reads signed checkpoints in their order.

    `given` are the keys that the verifier brought, the `listed` ones stand beside the checkpoints and are believed only
    where nothing was given, or once a checkpoint is signed by one that is trusted and by them: that is how the old key
    introduces the new one.
    """

    def __init__(self, listed: Sequence[Verifier], given: Sequence[Verifier] = ()) -> None:
        self._known = [*given, *(key for key in listed if key not in given)]
        self._trusted = list(given) or list(listed[:1])
        self._seen = 0
        self._newest_is_trusted = False

    def refuses(self, signed: SignedCheckpoint) -> str | None:
        """Why this checkpoint is not accepted as the next one; None when it is."""
        if not self._known:
            return None
        signing = [key for key in self._known if signed.signed_by(key)]
        if not signing:
            forged = self._seen or any(signed.note.claims(key) for key in self._known)
            return "it is not signed by any key of this installation" if forged else None
        self._seen += 1
        self._newest_is_trusted = any(key in self._trusted for key in signing)
        introduced = [key for key in signing if key not in self._trusted]
        if self._newest_is_trusted and introduced:
            self._trusted = introduced
        return None

    def knows(self, signed: SignedCheckpoint) -> bool:
        """Whether a known key signed this copy; true where no key is known at all."""
        return not self._known or any(signed.signed_by(key) for key in self._known)

    def refuses_the_end(self) -> str | None:
        """Why the newest checkpoint proves nothing to this verifier; None when it does."""
        if not self._known:
            return None
        if not self._seen:
            return "no checkpoint is signed by a key of this installation: the next load or `bin/onefold up` makes one"
        if not self._newest_is_trusted:
            return (
                "the newest checkpoint is signed by a key that no trusted one introduced: ask who changed the key, and "
                "give the public key that you were told with --key"
            )
        return None
