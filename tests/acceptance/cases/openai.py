"""What the acceptance suite must know of OpenAI's streams."""

from tests.acceptance.case import Case

REPORT = {
    "expired_token": "an admin key has no end: a refused one is for a person to fix",
    "changes": "a day's numbers are final when it is over; the look-back reads the last three days again",
    "deletions": "what was used stays used",
    "personal data": "the report is by project and model, not by user",
}

CASES = {
    "openai.usage": Case(
        path="/usage/completions",
        renamed=(("output_tokens", "output_tokens"), ("num_model_requests", "num_model_requests")),
        vanishing=(("input_cached_tokens", "input_cached_tokens"),),
        retyped=(("input_tokens", "input_tokens", "object", "object"),),
        cannot_have=REPORT,
    ),
    "openai.cost": Case(
        path="/organization/costs",
        renamed=(("amount", "value"), ("currency", "currency")),
        vanishing=(),
        retyped=(("currency", "currency", "object", "object"),),
        cannot_have=REPORT,
    ),
}
