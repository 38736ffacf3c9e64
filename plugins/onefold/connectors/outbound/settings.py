"""The protocol's own settings of a target's object: read with their mistakes named, and their texts filled in."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TypeVar

from pydantic import ValidationError

from onefold.catalog.model import Model
from onefold.connectors.outbound.contract import Place
from onefold.errors import Fatal

PLACEHOLDER = re.compile(r"\{(\w+)\}")
SettingsT = TypeVar("SettingsT", bound=Model)


def read_settings(place: Place, model: type[SettingsT]) -> SettingsT:
    """The settings of a place. Raises Fatal that names what is wrong with them."""
    try:
        return model.model_validate(dict(place.settings))
    except ValidationError as error:
        wrong = "; ".join(
            f"{'.'.join(map(str, each['loc']))}: {each['msg']}"
            for each in error.errors(include_url=False, include_context=False, include_input=False)
        )
        raise Fatal(f"{place.named}: settings in catalog/targets/{place.target}.yaml: {wrong}.") from None


def filled(text: str, values: Mapping[str, str]) -> str:
    """The text with the values at their placeholders, once: a value's own braces are none."""
    return PLACEHOLDER.sub(lambda found: values.get(found[1], found[0]), text)
