"""What the acceptance suite must know of the white list's streams."""

from tests.acceptance.case import Case

CASES = {
    "white_list.subject": Case(
        path="search/nips",
        renamed=(("statusVat", "statusVat"), ("name", "name"), ("accountNumbers", "accountNumbers")),
        vanishing=(("regon", "regon"), ("krs", "krs")),
        retyped=(("name", "name", "number", "number"), ("statusVat", "statusVat", "object", "object")),
        ended="_payload ->> 'statusVat' = 'Niezarejestrowany'",
        cannot_have={
            "expired_token": "the register asks for no sign-in",
            "repeat_page": "every answer is one batch of taxpayers: there are no pages at the source",
        },
    ),
}
