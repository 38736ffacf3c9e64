"""What the acceptance suite must know of Microsoft 365's streams."""

from tests.acceptance.case import Case

FORGETS = "a delta query does not tell who asks for the first time what has ended before"
IN_BATCHES = "pages come inside batches; one that leads to itself is tested in tests/connectors/test_microsoft365.py"
CANNOT = {
    "repeat_page": IN_BATCHES,
    "gone records": FORGETS,
    "a cursor": "the link that it gave us is the cursor",
}

CASES = {
    "microsoft365.user": Case(
        path="/users/delta",
        renamed=(("displayName", "displayName"), ("id", "id")),
        vanishing=(("mail", "mail"), ("department", "department")),
        retyped=(("displayName", "displayName", "number", "number"), ("mail", "mail", "object", "object")),
        cannot_have={"gone records": FORGETS, "a cursor": "the link that it gave us is the cursor"},
    ),
    "microsoft365.calendar_event": Case(
        path="$batch",
        renamed=(("starts_at", "start"), ("isAllDay", "isAllDay")),
        vanishing=(("subject", "subject"),),
        retyped=(("subject", "subject", "number", "number"), ("importance", "importance", "object", "object")),
        cannot_have=CANNOT,
    ),
    "microsoft365.message": Case(
        path="$batch",
        renamed=(("receivedDateTime", "receivedDateTime"), ("isRead", "isRead")),
        vanishing=(("subject", "subject"), ("from_email", "from")),
        retyped=(("subject", "subject", "number", "number"), ("importance", "importance", "object", "object")),
        cannot_have=CANNOT,
    ),
    "microsoft365.document": Case(
        path="$batch",
        renamed=(("name", "name"), ("size", "size")),
        vanishing=(("mime_type", "mimeType"),),
        retyped=(("name", "name", "number", "number"), ("webUrl", "webUrl", "object", "object")),
        cannot_have=CANNOT,
    ),
}
