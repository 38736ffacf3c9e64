"""Identifiers of the made-up companies: unique by construction, with valid check digits.

The check-digit rules are those of python-stdnum (stdnum.pl.nip, stdnum.pl.regon); the 18-character
Salesforce Id adds three characters that carry the letter case of the first fifteen.
"""

NIP_WEIGHTS = (6, 5, 7, 2, 3, 4, 5, 6, 7)
REGON_WEIGHTS = (8, 9, 2, 3, 4, 5, 6, 7)
BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
CASE_CODES = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"


def _weighted(digits: str, weights: tuple[int, ...]) -> int:
    return sum(int(digit) * weight for digit, weight in zip(digits, weights, strict=True)) % 11


def _scattered(number: int, factor: int, modulus: int) -> int:
    """A one-to-one scattering of 0..modulus-1 (factor and modulus share no divisor)."""
    return (number * factor + 12_345) % modulus


def nip(company_id: int) -> str:
    """The company's 10-digit NIP; different ids give different numbers."""
    for attempt in range(16):
        digits = str(100_000_000 + _scattered(company_id * 16 + attempt, 482_711_503, 900_000_000))
        check = _weighted(digits, NIP_WEIGHTS)
        if check < 10:  # a remainder of 10 has no digit: such numbers are never issued
            return f"{digits}{check}"
    raise ValueError(f"no NIP for company {company_id}")


def regon(company_id: int) -> str:
    """The company's 9-digit REGON; different ids give different numbers."""
    digits = f"{10_000_000 + _scattered(company_id, 37_199_821, 80_000_000):08d}"
    return f"{digits}{_weighted(digits, REGON_WEIGHTS) % 10}"


def former_regon(company_id: int) -> str:
    """The REGON of a sole trader's earlier business, which has ended: smaller than any of a living one."""
    digits = f"{1_000_000 + _scattered(company_id, 3_719_981, 8_000_000):08d}"
    return f"{digits}{_weighted(digits, REGON_WEIGHTS) % 10}"


def krs(company_id: int) -> str:
    """The company's 10-digit KRS number, with leading zeros (a KRS number has no check digit)."""
    return f"{1 + _scattered(company_id, 1_234_567, 2_000_000):010d}"


def spoil_check_digit(number: str) -> str:
    """The same number with a wrong last digit."""
    return f"{number[:-1]}{(int(number[-1]) + 1) % 10}"


def salesforce_id(number: int, prefix: str = "001") -> str:
    """The 18-character Id of the row with this running number; `prefix` tells its object, 001 an account."""
    rest, serial = _scattered(number, 104_729_017, 62**5), ""
    for _ in range(5):
        rest, digit = divmod(rest, 62)
        serial = BASE62[digit] + serial
    short = f"{prefix}5g00000{serial}"
    suffix = ""
    for start in (0, 5, 10):
        bits = sum(1 << place for place, letter in enumerate(short[start : start + 5]) if letter.isupper())
        suffix += CASE_CODES[bits]
    return short + suffix


def sap_number(number: int) -> str:
    """The business partner number: ten digits with leading zeros, but for a few that an older system numbered."""
    return f"{1_000_000 + number:0{7 if number % 23 == 5 else 10}d}"
