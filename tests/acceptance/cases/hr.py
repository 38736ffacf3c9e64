"""What the acceptance suite must know of BambooHR's streams."""

from tests.acceptance.case import Case

KEY = {"expired_token": "an API key has no end: a refused one is for a person to fix"}
WHOLE_TABLE = {
    **KEY,
    "several pages": "a table comes whole, in one answer",
    "several requests": "a table comes whole, in one answer",
    "repeat_page": "a table comes whole, in one answer",
    "deletions": "its rows are the history, of which the stand-in takes none away",
}

CASES = {
    "hr.employee": Case(
        path="/employees?",
        renamed=(("employeeId", "employeeId"), ("lastName", "lastName"), ("dateOfBirth", "dateOfBirth")),
        vanishing=(("customPESEL", "customPESEL"), ("mobilePhone", "mobilePhone")),
        retyped=(("lastName", "lastName", "number", "number"), ("hireDate", "hireDate", "object", "object")),
        cannot_have=KEY,
    ),
    "hr.job": Case(
        path="/tables/jobInfo",
        renamed=(("id", "id"), ("date", "date")),
        vanishing=(("jobTitle", "jobTitle"),),
        retyped=(("department", "department", "object", "object"),),
        cannot_have={**WHOLE_TABLE, "personal data": "it names managers only, and there are ten of them"},
    ),
    "hr.pay": Case(
        path="/tables/compensation",
        renamed=(("rate", "value"), ("startDate", "startDate")),
        vanishing=(("type", "type"),),
        retyped=(("rate_currency", "currency", "object", "object"),),
        cannot_have=WHOLE_TABLE,
    ),
}
