"""The API's description, OpenAPI 3.1: /openapi.json, from which the documentation page and the client are made."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from onefold.catalog.entity import Entity
from onefold.serve.clients import KEY_HEADER
from onefold.serve.models import company_attributes

_INTRODUCTION = (
    "What the registers say of companies: KRS, CRBR, REGON, VIES and the list of VAT payers. Answers are at most "
    "24 hours old where the register can be asked; where it cannot, the last one is given with its age (`as_of`, "
    "`stale`). 'Not found' is said only when the register said so. Every request is recorded."
)


def describe(app: FastAPI, company: Entity) -> None:
    """Let app.openapi() give the description; it is made once."""

    def description() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _made(app, company)
        return app.openapi_schema

    app.openapi = description  # type: ignore[method-assign]


def _made(app: FastAPI, company: Entity) -> dict[str, Any]:
    made = get_openapi(
        title=app.title, version=app.version, openapi_version="3.1.0", description=_INTRODUCTION, routes=app.routes
    )
    schemas = made["components"]["schemas"]
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    attributes = company_attributes(company).model_json_schema()
    schemas["CompanyAttributes"] = attributes
    schemas["CompanyOut"]["properties"]["company"] = {"$ref": "#/components/schemas/CompanyAttributes"}
    made["components"]["securitySchemes"] = {
        "key": {"type": "apiKey", "in": "header", "name": KEY_HEADER},
        "token": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
    }
    for path, methods in made["paths"].items():
        for operation in methods.values():
            operation["responses"].pop("422", None)
            operation["operationId"] = operation["operationId"].split("_v1_")[0]
            if path.startswith("/v1"):
                operation["security"] = [{"key": []}, {"token": []}]
                for status, response in operation["responses"].items():
                    if int(status) >= 400:
                        response["content"] = {
                            "application/problem+json": {"schema": {"$ref": "#/components/schemas/ProblemDetails"}}
                        }
    return made
