"""Renders dbt's models with plain Jinja. The macros are compiled once: with each model anew they took half a minute."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import jinja2


class Renderer:
    """Renders the text of models that use the macros of these files."""

    def __init__(self, macros: Iterable[Path]) -> None:
        self._environment = jinja2.Environment(undefined=jinja2.StrictUndefined)  # noqa: S701 - SQL, not HTML
        text = "".join(file.read_text("utf-8") for file in sorted(macros))
        self._macros = self._environment.from_string(text)
        self._models: dict[str, jinja2.Template] = {}

    def render(self, text: str, **given: object) -> str:
        """The SQL of a model's text, where `given` has what dbt gives it: ref, var, config and the like."""
        if text not in self._models:
            self._models[text] = self._environment.from_string(text)
        module = self._macros.make_module(given)  # so that the macros see what is given, too
        macros = {name: macro for name, macro in vars(module).items() if not name.startswith("_")}
        return self._models[text].render(**given, **macros)
