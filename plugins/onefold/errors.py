"""Errors, classed by what to do about them. Their text says what happened, where, and what to do next."""

import traceback
from pathlib import Path


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


def raised_at(error: BaseException) -> str:
    """Where an error that nobody foresaw was raised: file, line and function, none of its words, which quote values."""
    frames = traceback.extract_tb(error.__traceback__)
    return f"{Path(frames[-1].filename).name}, line {frames[-1].lineno}, in {frames[-1].name}" if frames else "nowhere"


LONGEST_MESSAGE = 2000
"""Characters of an error's text that are stored: an address in it may be as long as a source likes."""


def storable_message(error: BaseException) -> str:
    """The error's text as PostgreSQL can hold it, in a length that people read."""
    text = str(error).encode("utf-8", "backslashreplace").decode().replace("\0", "\\x00")
    return text if len(text) <= LONGEST_MESSAGE else text[: LONGEST_MESSAGE - 1] + "…"
