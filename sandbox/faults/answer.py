"""What a fault does to an answer: another one in its place, or the same one damaged."""

import json
from dataclasses import dataclass
from urllib.parse import parse_qs

from starlette.types import Scope

from sandbox.faults import damage
from sandbox.faults.fault import RETYPED, Fault
from sandbox.faults.request import header
from sandbox.wire.mtom import as_mtom


@dataclass(slots=True)
class Answer:
    """A whole answer, held back until the faults have been at it."""

    status: int
    headers: dict[str, str]
    body: bytes
    cut_at: int | None = None


def answer_instead(fault: Fault) -> Answer:
    """The answer of a system that does not do what it was asked."""
    if fault.kind == "html":
        return Answer(200, {"content-type": "text/html; charset=utf-8"}, damage.HTML_PAGE)
    if fault.kind in ("status", "error_after_commit"):
        body = f"fault: {fault.code}" if fault.body is None else fault.body
        content_type = "application/json" if body[:1] in ("{", "[") else "text/plain; charset=utf-8"
        status = fault.code or 500
        return Answer(status, {"content-type": content_type}, b"" if status == 204 else body.encode())
    headers = {"content-type": "application/json"}
    if fault.retry_after is not None:
        headers["retry-after"] = str(fault.retry_after)
    if fault.system == "salesforce":
        headers["sforce-limit-info"] = "api-usage=100000/100000"
        refusal = [{"message": "TotalRequests Limit exceeded.", "errorCode": "REQUEST_LIMIT_EXCEEDED"}]
        return Answer(403, headers, json.dumps(refusal).encode())
    if fault.system == "shop":  # 200, and how long to wait follows from the points: 10 of them come back in a second
        status = {"maximumAvailable": 1000, "currentlyAvailable": 0, "restoreRate": 10}
        cost = {"requestedQueryCost": 10 * (fault.retry_after or 1), "throttleStatus": status}
        errors = [{"message": "Throttled", "extensions": {"code": "THROTTLED"}}]
        throttled = {"errors": errors, "extensions": {"cost": cost}}
        return Answer(200, {"content-type": "application/json"}, json.dumps(throttled).encode())
    return Answer(429, headers, b'{"error":{"code":"429","message":"Too many requests"}}')


def _is_csv(answer: Answer) -> bool:
    return answer.headers.get("content-type", "").startswith("text/csv")


def _led_back(answer: Answer, scope: Scope) -> bool:
    """Salesforce's job results name the next part in a header: here, once more the part that was asked for."""
    asked = parse_qs(scope["query_string"].decode("latin-1")).get("locator")
    if not asked or answer.headers.get("sforce-locator", "null") == "null":
        return False
    answer.headers["sforce-locator"] = asked[0]
    return True


def apply_fault(answer: Answer, fault: Fault, scope: Scope) -> bool:
    """Changes the answer as the fault says; returns whether it changed anything."""
    before = answer.body
    match fault.kind:
        case "lost_answer" | "late_commit":  # the request was carried out, and the connection ends without an answer
            answer.status, answer.body, answer.cut_at = 200, b"?", 0
            return True
        case "error_after_commit":
            instead = answer_instead(fault)
            answer.status, answer.headers, answer.body = instead.status, instead.headers, instead.body
            return True
        case "cut_body" if before:
            answer.cut_at = int(len(before) * fault.fraction)
            return True
        case "bom" if before:
            answer.body = damage.with_bom(before)
        case "mtom" if "xml" in answer.headers.get("content-type", ""):
            answer.body, answer.headers["content-type"] = as_mtom(before, fault.framing)
        case "rename_field" | "drop_field" if _is_csv(answer):
            answer.body = damage.csv_column(before, fault.field or "", fault.to)
        case "repeat_page" if _is_csv(answer):
            return _led_back(answer, scope)
        case "rename_field":
            answer.body = damage.rename_field(before, fault.field or "", fault.to or "")
        case "retype_field":
            to = next(name for name in RETYPED if name == fault.to)
            answer.body = damage.retype_field(before, fault.field or "", to)
        case "drop_field":
            answer.body = damage.drop_field(before, fault.field or "")
        case "repeat_page":
            query = scope["query_string"].decode("latin-1")
            relative = f"{scope['path'].removeprefix(scope.get('root_path', ''))}?{query}".rstrip("?")
            absolute = f"{scope['scheme']}://{header(scope, b'host')}{scope['path']}?{query}".rstrip("?")
            answer.body = damage.pointing_at_itself(before, relative, absolute) or before
    return answer.body != before
