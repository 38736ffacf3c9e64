"""What the acceptance suite must know of CRBR's streams."""

from tests.acceptance.case import Case

CASES = {
    "crbr.beneficiary": Case(
        path="PobierzInformacjeOSpolkachIBeneficjentach",
        renamed=(("Nazwa", "Nazwa"), ("NumerReferencyjny", "NumerReferencyjny")),
        vanishing=(("PESEL", "PESEL"), ("Ilosc", "Ilosc"), ("Nazwisko", "Nazwisko")),
        retyped=(("Nazwisko", "Nazwisko", "object", "object"), ("NIP", "NIP", "object", "object")),
        small_pages=("onefold.systems.crbr.PER_PAGE", 8),
        cannot_have={
            "expired_token": "the register asks for no sign-in",
            "repeat_page": "every answer is one company: there are no pages at the source",
            "gone records": "an owner who is no longer one is no longer told",
        },
    ),
}
