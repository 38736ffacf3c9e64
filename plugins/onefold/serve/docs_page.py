"""The documentation page: /docs, made from the description, with no script and nothing from elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from typing import Any

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from onefold.serve.json_text import encode
from onefold.serve.problem import TITLES

_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; frame-ancestors 'none'; base-uri 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #1b1f24; }
code { font-family: ui-monospace, monospace; background: #f3f4f6; }
table { border-collapse: collapse; width: 100%; }
td { text-align: left; padding: .3rem .6rem; border-bottom: 1px solid #d0d7de; vertical-align: top; }
h3 { margin-top: 2.5rem; } .method { font-weight: 700; }
"""


def add_to(app: FastAPI) -> None:
    """Serve the description, its page and the page's style. They are public: they hold no data."""

    async def description(request: Request) -> Response:
        return Response(encode(app.openapi()), headers=_HEADERS, media_type="application/json")

    async def page(request: Request) -> Response:
        return HTMLResponse(documentation(app.openapi()), headers=_HEADERS)

    async def style(request: Request) -> Response:
        return Response(_STYLE, headers=_HEADERS, media_type="text/css")

    async def root(request: Request) -> Response:
        return RedirectResponse("/docs")

    app.add_route("/openapi.json", description, include_in_schema=False)
    app.add_route("/docs", page, include_in_schema=False)
    app.add_route("/docs.css", style, include_in_schema=False)
    app.add_route("/", root, include_in_schema=False)


def documentation(description: dict[str, Any]) -> str:
    """The page as HTML."""
    operations = "".join(
        _operation(path, method, operation)
        for path, methods in description["paths"].items()
        for method, operation in methods.items()
    )
    problems = "".join(
        f'<tr id="{escape(name)}"><td>{escape(name)}</td><td>{escape(title)}</td></tr>'
        for name, title in TITLES.items()
    )
    schemas = "".join(_schema(name, schema) for name, schema in sorted(description["components"]["schemas"].items()))
    info = description["info"]
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f'<title>{escape(info["title"])}</title><link rel="stylesheet" href="/docs.css"></head><body>'
        f"<h1>{escape(info['title'])} {escape(info['version'])}</h1><p>{escape(info['description'])}</p>"
        '<p>Also as <a href="/openapi.json">OpenAPI 3.1</a>. Send your key as the header <code>X-API-Key</code>, or '
        "a token of the realm as <code>Authorization: Bearer</code>.</p>"
        f"<h2>Addresses</h2>{operations}<h2>Problems</h2><table><tbody>{problems}</tbody></table>"
        f"<h2>Content</h2>{schemas}</body></html>"
    )


def _operation(path: str, method: str, operation: dict[str, Any]) -> str:
    rows = "".join(
        f"<tr><td><code>{escape(each['name'])}</code></td><td>{escape(each['in'])}</td>"
        f"<td>{escape(each.get('description') or each.get('schema', {}).get('description') or '')}</td></tr>"
        for each in operation.get("parameters", [])
    )
    parameters = f"<table><tbody>{rows}</tbody></table>" if rows else ""
    body = "".join(_names(operation.get("requestBody", {})))
    given = f"<p>Send: {body}</p>" if body else ""
    answers = ", ".join(f"{status} {''.join(_names(each))}" for status, each in operation["responses"].items())
    return (
        f'<h3 id="{escape(operation["operationId"])}"><span class="method">{escape(method.upper())}</span> '
        f"<code>{escape(path)}</code></h3><p>{escape(operation.get('description') or operation['summary'])}</p>"
        f"{parameters}{given}<p>Answers: {answers}</p>"
    )


def _names(content: dict[str, Any]) -> Iterator[str]:
    """Links to what stands in a body."""
    for each in content.get("content", {}).values():
        name = each.get("schema", {}).get("$ref", "").rpartition("/")[2]
        if name:
            yield f'<a href="#{escape(name)}">{escape(name)}</a>'


def _schema(name: str, schema: dict[str, Any]) -> str:
    rows = "".join(
        f"<tr><td><code>{escape(each)}</code></td><td>{escape(_kind(what))}</td>"
        f"<td>{escape(what.get('description', ''))}</td></tr>"
        for each, what in schema.get("properties", {}).items()
    )
    said = escape(schema.get("description", ""))
    return f'<h3 id="{escape(name)}">{escape(name)}</h3><p>{said}</p><table><tbody>{rows}</tbody></table>'


def _kind(schema: dict[str, Any]) -> str:
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if "anyOf" in schema:
        return " or ".join(_kind(each) for each in schema["anyOf"])
    if schema.get("type") == "array":
        return f"list of {_kind(schema.get('items', {}))}"
    return str(schema.get("format") or schema.get("type") or "any")
