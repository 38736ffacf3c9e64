"""What the acceptance suite must know of Keycloak's streams."""

from tests.acceptance.case import Case

CASES = {
    "keycloak.user": Case(
        path="/users?",
        renamed=(("id", "id"), ("username", "username"), ("enabled", "enabled")),
        vanishing=(("email", "email"), ("firstName", "firstName")),
        retyped=(("username", "username", "number", "number"), ("lastName", "lastName", "object", "object")),
    ),
    "keycloak.group": Case(
        path="/groups?",
        renamed=(("id", "id"), ("name", "name")),
        vanishing=(("cost_center", "costCenter"),),
        retyped=(("name", "name", "object", "object"),),
        cannot_have={"personal data": "a group names no person"},
    ),
    "keycloak.admin_event": Case(
        path="/admin-events?",
        renamed=(("id", "id"), ("operationType", "operationType")),
        vanishing=(("by_user", "userId"),),
        retyped=(("resourcePath", "resourcePath", "object", "object"),),
        cannot_have={
            "changes": "an event has happened and stays as it is",
            "deletions": "events expire all at once after a while, and are kept here",
        },
    ),
}
