"""Errors, classed by what to do about them. Their text says what happened, where, and what to do next."""


class OnefoldError(Exception):
    """Base of every error that Onefold raises on purpose."""

    step: str | None = None
    """Which step of a load it ended (land, gate, publish); None where it was none."""


class Retriable(OnefoldError):
    """The other side failed (down, slow, limited): the same call may succeed later."""


class Busy(Retriable):
    """Somebody else is at it, or has a better claim: wait for them. Nothing was tried, so nothing has failed."""


class Fatal(OnefoldError):
    """Trying again cannot help: a setting, a credential, a contract or the code must change first."""


class Rejected(OnefoldError):
    """The data itself was refused by a gate: nothing was published, the last good data is untouched."""
