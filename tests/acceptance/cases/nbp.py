"""What the acceptance suite must know of NBP's streams."""

from tests.acceptance.case import Case

CANNOT = {
    "expired_token": "the bank asks for no sign-in",
    "repeat_page": "a page is a range of days that we choose: the source has no next page",
    "changes": "a table is a fact of its day: the bank never changes one",
    "deletions": "a table is a fact of its day: the bank never takes one back",
    "personal data": "a rate names nobody",
}

CASES = {
    "nbp.rate": Case(
        path="tables/A/",
        renamed=(("code", "code"), ("mid", "mid"), ("effectiveDate", "effectiveDate"), ("no", "no")),
        retyped=(("mid", "mid", "object", "object"), ("currency", "currency", "number", "number")),
        cannot_have=CANNOT,
    ),
    "nbp.buy_sell": Case(
        path="tables/C/",
        renamed=(("bid", "bid"), ("tradingDate", "tradingDate")),
        retyped=(("ask", "ask", "object", "object"),),
        cannot_have=CANNOT,
    ),
}
