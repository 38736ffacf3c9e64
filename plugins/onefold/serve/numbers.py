"""Numbers of companies and accounts: which of them can be one, by their check digits.

Sources: NIP, ustawa o zasadach ewidencji i identyfikacji podatników Art. 8b; REGON, rozporządzenie Rady Ministrów w
sprawie rejestru podmiotów gospodarki narodowej § 4; NRB, ISO 13616.
"""

from __future__ import annotations

_NIP = (6, 5, 7, 2, 3, 4, 5, 6, 7)
_REGON_9 = (8, 9, 2, 3, 4, 5, 6, 7)
_REGON_14 = (2, 4, 8, 5, 0, 9, 7, 3, 6, 1, 2, 4, 8)


def is_nip(text: str) -> bool:
    """Whether ten digits can be a tax number."""
    return _is_number(text, 10) and _sum(text, _NIP) % 11 == int(text[9])


def is_regon(text: str) -> bool:
    """Whether nine or fourteen digits can be a statistical number."""
    if _is_number(text, 9):
        return _sum(text, _REGON_9) % 11 % 10 == int(text[8])
    return _is_number(text, 14) and _sum(text, _REGON_14) % 11 % 10 == int(text[13])


def is_account(text: str) -> bool:
    """Whether 26 digits can be a Polish bank account."""
    return _is_number(text, 26) and int(f"{text[2:]}2521{text[:2]}") % 97 == 1


def _is_number(text: str, digits: int) -> bool:
    return len(text) == digits and text.isascii() and text.isdecimal()


def _sum(text: str, weights: tuple[int, ...]) -> int:
    return sum(int(digit) * weight for digit, weight in zip(text, weights, strict=False))
