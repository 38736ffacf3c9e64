"""What the acceptance suite must know of Stripe's streams."""

from tests.acceptance.case import Case

KEY = {"expired_token": "a secret key has no end: a refused one is for a person to fix"}
LISTED_BY_CREATION = {
    **KEY,
    "changes": "lists go by the time of creation; what changes later shows within the look-back of 30 days",
    "deletions": "nothing that concerns money is ever deleted",
}
NO_PERSONS = {"personal data": "it names no person: the charge does"}

CASES = {
    "stripe.charge": Case(
        path="/v1/charges",
        renamed=(("amount", "amount"), ("created", "created")),
        vanishing=(("invoice_reference", "invoice"),),
        retyped=(("amount", "amount", "object", "object"), ("currency", "currency", "number", "number")),
        cannot_have=LISTED_BY_CREATION,
    ),
    "stripe.refund": Case(
        path="/v1/refunds",
        renamed=(("amount", "amount"), ("status", "status")),
        vanishing=(("charge", "charge"),),
        retyped=(("status", "status", "object", "object"),),
        cannot_have=LISTED_BY_CREATION | NO_PERSONS,
    ),
    "stripe.payout": Case(
        path="/v1/payouts",
        renamed=(("arrival_date", "arrival_date"), ("status", "status")),
        vanishing=(("destination", "destination"),),
        retyped=(("status", "status", "object", "object"),),
        cannot_have=LISTED_BY_CREATION | NO_PERSONS,
    ),
    "stripe.balance_transaction": Case(
        path="/v1/balance_transactions",
        renamed=(("fee", "fee"), ("net", "net")),
        vanishing=(("source", "source"),),
        retyped=(("currency", "currency", "object", "object"),),
        cannot_have=LISTED_BY_CREATION | NO_PERSONS,
    ),
    "stripe.event": Case(
        path="/v1/events",
        renamed=(("type", "type"), ("created", "created")),
        vanishing=(("currency", "currency"),),
        retyped=(("type", "type", "object", "object"),),
        cannot_have={**KEY, **NO_PERSONS}
        | {
            "changes": "an event stays as it is",
            "deletions": "events are no longer listed after 30 days, and kept here",
        },
    ),
}
