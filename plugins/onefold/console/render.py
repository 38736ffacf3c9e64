"""Pages from templates. Everything that comes from a source or a person is escaped."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse

from onefold.audit.approval import triggering_user
from onefold.console.airflow_links import airflow_home, console_page, dag_page, run_page
from onefold.console.document import Document
from onefold.console.viewer import Viewer
from onefold.console.views import OF_OPERATIONS, VIEWS, WIDGETS
from onefold.text_table import mib, number

FOLDER = Path(__file__).parent
_POLICY = (
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    "connect-src 'self'",
    "frame-ancestors 'self'",
    "base-uri 'none'",
    "form-action 'self'",
)
HEADERS = {
    "Content-Security-Policy": "; ".join(_POLICY),
    "Cache-Control": "no-store",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}
"""Of every page: it runs and loads only what comes from here, and stays on no disk."""


def page(
    request: Request, viewer: Viewer | None, template: str, status: int = 200, /, **values: object
) -> HTMLResponse:
    """The template as a page of the console. In templates: `root` is the path below which the console answers, `to`
    gives the attributes of a link to a page of the console."""
    root = request.scope.get("root_path", "")
    is_widget = request.url.path.startswith(f"{root}{WIDGETS}/")
    shown = (
        _environment()
        .get_template(template)
        .render(
            root=root,
            is_widget=is_widget,
            to=partial(link, root, is_widget),
            here=request.url.path,
            viewer=viewer,
            views=_menu(viewer),
            now=datetime.now(UTC),
            **values,
        )
    )
    return HTMLResponse(shown, status, headers=HEADERS)


def link(root: str, is_widget: bool, address: str) -> Markup:
    """The attributes of a link to a page of the console; out of a widget it leads out of its frame."""
    if is_widget:
        return Markup('href="{}" target="_top"').format(console_page(root, address))
    return Markup('href="{}"').format(f"{root}{address}")


def _menu(viewer: Viewer | None) -> list[tuple[str, str]]:
    if viewer is None:
        return []
    return [(path, title) for path, title in VIEWS if viewer.sees_operations or path not in OF_OPERATIONS]


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(FOLDER / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"number": number, "when": when, "span": span, "mib": mib, "who": who, "markdown": Document}
    environment.globals |= {"sparkline": sparkline}
    environment.globals |= {"airflow_home": airflow_home, "dag_page": dag_page, "run_page": run_page}
    return environment


def when(at: datetime | None) -> Markup | str:
    """An instant in UTC, to the minute; "never" for None."""
    if at is None:
        return "never"
    utc = at.astimezone(UTC)
    return Markup('<time datetime="{}">{}</time>').format(utc.isoformat(), f"{utc:%Y-%m-%d %H:%M}")


def span(time: timedelta | None) -> str:
    """A length of time in its largest two units, as 2 d 3 h; "" for None."""
    if time is None:
        return ""
    seconds = max(int(time.total_seconds()), 0)
    parts = [(seconds // 86400, "d"), (seconds // 3600 % 24, "h"), (seconds // 60 % 60, "min"), (seconds % 60, "s")]
    first = next((place for place, (count, _) in enumerate(parts) if count), 3)
    return " ".join(f"{count} {unit}" for count, unit in parts[first : first + 2] if count) or "0 s"


def who(actor: str | None) -> str:
    """Whom an audit event names, as people say it: a user, a DAG that ran by itself, somebody at a shell."""
    if by := triggering_user(actor or ""):
        return by
    kind, _, name = (actor or "").partition(":")
    if kind == "airflow" and "/" in name:
        return f"DAG {name.partition('/')[0]}"
    return {"airflow": name, "os": f"{name} (shell)", "role": f"role {name}"}.get(kind, actor or "")


def sparkline(values: Sequence[int], label: str) -> Markup:
    """Bars of equal width, the highest as high as the line; `label` says the same for who does not see them."""
    highest = max([*values, 1])
    bars = Markup("").join(
        Markup('<rect x="{}" y="{}" width="6" height="{}"/>').format(
            place * 8, 20 - (height := round(value / highest * 20, 1)), height
        )
        for place, value in enumerate(values)
    )
    return Markup('<svg class="trend" viewBox="0 0 {} 20" role="img" aria-label="{}">{}</svg>').format(
        len(values) * 8, label, bars
    )
