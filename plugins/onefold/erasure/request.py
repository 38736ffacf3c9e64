"""What somebody asks for: whom to erase, by a case, and on which ground."""

from __future__ import annotations

from dataclasses import dataclass

from onefold.audit.personal import looks_personal
from onefold.errors import Fatal


@dataclass(frozen=True, slots=True)
class ErasureRequest:
    """The name of an open case (case_file.py) and the basis, which others read in ops.erasure.

    Raises Fatal when the basis is empty or looks like personal data.
    """

    case: str
    basis: str

    def __post_init__(self) -> None:
        if not self.basis.strip():
            raise Fatal("Say on which ground the person is erased, as 'Art. 17 (1) (b), request 12/2026'.")
        if looks_personal(self.basis):
            raise Fatal(
                "The basis holds what looks like an address or number of a person (it is not repeated here). Name the "
                "request by its number. Nothing was erased."
            )
