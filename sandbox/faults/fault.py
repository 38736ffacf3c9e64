"""One fault: its kinds, their parameters, and how POST /control/faults describes it."""

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

EXPIRED = "sandbox.expired_token"
"""Where a request's scope tells a system which of its tokens has just expired."""

Kind = Literal[
    "status",
    "delay",
    "cut_body",
    "html",
    "repeat_page",
    "expired_token",
    "rate_limit",
    "rename_field",
    "retype_field",
    "drop_field",
    "bom",
    "mtom",
    "lost_answer",
    "late_commit",
    "error_after_commit",
]
# What each kind needs, and what it may have besides.
PARAMETERS: dict[Kind, tuple[frozenset[str], frozenset[str]]] = {
    "status": (frozenset({"code"}), frozenset({"body"})),
    "delay": (frozenset({"seconds"}), frozenset()),
    "cut_body": (frozenset(), frozenset({"fraction"})),
    "html": (frozenset(), frozenset()),
    "repeat_page": (frozenset(), frozenset()),
    "expired_token": (frozenset(), frozenset()),
    "rate_limit": (frozenset(), frozenset({"retry_after"})),
    "rename_field": (frozenset({"field", "to"}), frozenset()),
    "retype_field": (frozenset({"field", "to"}), frozenset()),
    "drop_field": (frozenset({"field"}), frozenset()),
    "bom": (frozenset(), frozenset()),
    "mtom": (frozenset(), frozenset({"framing"})),
    "lost_answer": (frozenset(), frozenset()),
    "late_commit": (frozenset({"seconds"}), frozenset()),
    "error_after_commit": (frozenset({"code"}), frozenset({"body"})),
}
COMMON = frozenset({"system", "kind", "times", "path", "after"})
RETYPED = ("string", "number", "object")


class Fault(BaseModel):
    """One fault, as POST /control/faults describes it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    system: str
    kind: Kind
    times: int = Field(default=1, ge=-1, description="how many requests suffer; -1: until cleared")
    path: str = Field(default="", description="only requests whose method, path, query or SOAP action contains this")
    after: int = Field(default=0, ge=0, description="how many matching requests pass unharmed first")
    code: int | None = Field(default=None, ge=100, le=599)
    body: str | None = None
    seconds: float | None = Field(default=None, ge=0, le=600)
    fraction: float = Field(default=0.5, ge=0, lt=1)
    retry_after: int | None = Field(default=None, ge=0)
    field: str | None = Field(default=None, min_length=1)
    to: str | None = Field(default=None, min_length=1)
    framing: Literal["crlf", "lf"] = "crlf"

    @model_validator(mode="after")
    def _parameters_fit_the_kind(self) -> Self:
        needed, optional = PARAMETERS[self.kind]
        given = {name for name in self.model_fields_set if getattr(self, name) is not None} - COMMON
        if missing := needed - given:
            raise ValueError(f"{self.kind} needs {', '.join(sorted(missing))}")
        if surplus := given - needed - optional:
            allowed = ", ".join(sorted(needed | optional | COMMON))
            raise ValueError(f"{self.kind} has no {', '.join(sorted(surplus))}; allowed are {allowed}")
        if self.kind == "retype_field" and self.to not in RETYPED:
            raise ValueError(f"to must be one of {', '.join(RETYPED)}, not {self.to!r}")
        if self.times == 0:
            raise ValueError("times must be -1 (until cleared) or at least 1")
        return self
