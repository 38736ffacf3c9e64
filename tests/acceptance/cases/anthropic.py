"""What the acceptance suite must know of Anthropic's streams."""

from tests.acceptance.case import Case

REPORT = {
    "expired_token": "an admin key has no end: a refused one is for a person to fix",
    "changes": "a day's numbers are final soon after it is over; the look-back reads the last three days again",
    "deletions": "what was used stays used",
    "personal data": "the report is by workspace and model, not by user",
}

CASES = {
    "anthropic.usage": Case(
        path="/usage_report/messages",
        renamed=(("output_tokens", "output_tokens"), ("uncached_input_tokens", "uncached_input_tokens")),
        vanishing=(("web_search_requests", "web_search_requests"),),
        retyped=(("cache_read_input_tokens", "cache_read_input_tokens", "object", "object"),),
        cannot_have=REPORT,
    ),
    "anthropic.cost": Case(
        path="/cost_report",
        renamed=(("amount", "amount"), ("currency", "currency")),
        vanishing=(("token_type", "token_type"),),
        retyped=(("currency", "currency", "object", "object"),),
        cannot_have=REPORT,
    ),
}
