"""What the acceptance suite must know of VIES's streams."""

from tests.acceptance.case import Case

CASES = {
    "vies.number": Case(
        path="taxation_customs/vies/",  # both ways to ask, or the other one would help out
        renamed=(("name", "name"), ("address", "address")),
        retyped=(("name", "name", "number", "number"), ("address", "address", "object", "object")),
        ended="_payload ->> 'valid' = 'false'",
        small_pages=("onefold.systems.vies.PER_PAGE", 8),
        tries=6,  # three by REST, and three for the contract of SOAP
        cannot_have={
            "expired_token": "the Commission asks for no sign-in",
            "repeat_page": "every answer is one number: there are no pages at the source",
        },
    ),
}
