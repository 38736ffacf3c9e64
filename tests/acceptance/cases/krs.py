"""What the acceptance suite must know of KRS's streams."""

from datetime import UTC, datetime

from tests.acceptance.case import Case

CASES = {
    "krs.extract": Case(
        path="OdpisAktualny",
        renamed=(("miejscowosc", "miejscowosc"),),
        vanishing=(("nazwa", "nazwa"), ("nip", "nip")),
        retyped=(("nazwa", "nazwa", "number", "number"), ("miejscowosc", "miejscowosc", "object", "object")),
        ended="_payload #>> '{odpis,naglowekA,stanPozycji}' <> '1'",  # a fact about it, not a deletion
        one="OdpisAktualny/{lookup_key}",
        history=datetime(2024, 1, 1, tzinfo=UTC),  # no bulletin names a company before; there is one for each day
        small_pages=("onefold.systems.krs.connector.PER_PAGE", 8),
        cannot_have={
            "expired_token": "the register asks for no sign-in",
            "repeat_page": "every answer is one company: there are no pages at the source",
        },
    ),
}
