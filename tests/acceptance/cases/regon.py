"""What the acceptance suite must know of REGON's streams."""

from tests.acceptance.case import Case

CASES = {
    "regon.entity": Case(
        path="DaneSzukajPodmioty",
        renamed=(("Nazwa", "Nazwa"), ("Regon", "Regon")),
        vanishing=(),
        retyped=(("Nazwa", "Nazwa", "object", "object"),),
        ended="_payload ->> 'DataZakonczeniaDzialalnosci' <> ''",
        # After the contract, a login and two searches; the service must also say why its answer was empty.
        expiry={"path": "", "after": 4, "times": 2},
        cannot_have={"repeat_page": "every answer is one batch of companies: there are no pages at the source"},
    ),
}
