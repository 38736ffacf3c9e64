"""By what a person is looked for, as it is typed or written in a file: never an argument of a command."""

from __future__ import annotations

from onefold.errors import Fatal
from onefold.privacy.values import PersonalValue, email, is_pesel, pesel


def parse_identifiers(text: str) -> frozenset[PersonalValue]:
    """One e-mail address or PESEL a line. Raises Fatal, without repeating it, for a line that is neither."""
    found: set[PersonalValue] = set()
    for number, line in enumerate(text.splitlines(), 1):
        given = line.strip()
        if "@" in given:
            found.add(email(given))
        elif is_pesel(given):
            found.add(pesel(given))
        elif given:
            raise Fatal(
                f"Line {number} of what was given is neither an e-mail address nor a PESEL (it is not repeated here). "
                "Write one a line, as it stands in the systems."
            )
    return frozenset(found)
