"""Turns what pydantic found into what the author of a YAML file should write instead."""

from __future__ import annotations

from collections.abc import Collection
from difflib import get_close_matches
from types import UnionType
from typing import TYPE_CHECKING, Annotated, Union, get_args, get_origin

from pydantic import BaseModel, Tag, ValidationError
from pydantic_core import ErrorDetails

from onefold.catalog.model import Model

if TYPE_CHECKING:
    from onefold.catalog.yaml_file import Mistake, Place, YamlFile

_DURATION = "write an ISO 8601 duration, for example PT10M (10 minutes), PT24H or P7D"
_OF_THE_WHOLE = ("missing", "value_error", "mistake")
_NAME = "write lower-case words of letters and digits joined by _, with a letter first"


def did_you_mean(wrong: str, known: Collection[str], what: str = "known here") -> str:
    """A remedy for a name that is not known: the closest one, and all of them (the first 20, sorted)."""
    close = get_close_matches(wrong, list(known), n=1, cutoff=0.6)
    shown = ", ".join(sorted(known)[:20]) + (", …" if len(known) > 20 else "")
    return (f'did you mean "{close[0]}"? ' if close else "") + f"{what}: {shown or 'nothing'}"


def mistakes_of(error: ValidationError, model: type[BaseModel], file: YamlFile) -> list[Mistake]:
    """Every mistake that pydantic found in a file, with its line and a remedy."""
    found = [_mistake(details, model, file) for details in error.errors(include_url=False)]
    return list(dict.fromkeys(found))


def mistakes_of_a_part(error: ValidationError, model: type[BaseModel], file: YamlFile, place: Place) -> list[Mistake]:
    """Every mistake of what stands at a place and is no whole `model`: without those that the rest may put right."""
    details = [each for each in error.errors(include_url=False) if each["type"] not in _OF_THE_WHOLE]
    return [_mistake(each, model, file, place) for each in details]


def _mistake(details: ErrorDetails, model: type[BaseModel], file: YamlFile, at: Place = ()) -> Mistake:
    place = _place((*at, *details["loc"]), file)
    name = _name(place, file)
    given = details["input"]
    match details["type"]:
        case "extra_forbidden":
            within = _model_at(model, details["loc"][:-1])
            if issubclass(within, Model) and (now := within.renamed.get(name)):
                text = f'"{name}" was renamed to "{now}"; write that instead'
            else:
                text = f'unknown key "{name}"; {did_you_mean(name, within.model_fields, "allowed here")}'
        case "missing":
            key = str(details["loc"][-1])
            field = _model_at(model, details["loc"][:-1]).model_fields[key]
            why = f" ({field.description})" if field.description else ""
            text = f'"{key}" is missing; add "{key}: …"{why}'
        case "literal_error":
            allowed = details["ctx"]["expected"].replace("'", "").replace(" or ", ", ").split(", ")
            text = f'{name}: "{given}" is not allowed; {did_you_mean(str(given), allowed, "use one of")}'
        case "union_tag_invalid":
            allowed = details["ctx"]["expected_tags"].replace("'", "").split(", ")
            place, text = _place((*place, "kind"), file), f'kind: "{details["ctx"]["tag"]}" is not allowed; '
            text += did_you_mean(details["ctx"]["tag"], allowed, "use one of")
        case "mistake":
            place, text = _place((*place, *details["ctx"]["key"].split(".")), file), details["ctx"]["text"]
        case "value_error":
            text = details["msg"].removeprefix("Value error, ")
        case "string_pattern_mismatch" if details["ctx"]["pattern"].startswith("^[a-z][a-z0-9]*"):
            text = f'"{given}" is not a name; {_NAME}'
        case "string_type" if isinstance(given, bool | int | float):
            text = f'{name}: text is needed here; write "{given}" in quotes'
        case "time_delta_parsing" | "time_delta_type":
            text = f"{name}: {given!r} is not a duration; {_DURATION}"
        case "model_type" | "dict_type":
            text = f'{name}: needs "key: value" lines below it, not {_shown(given)}'
        case "list_type":
            text = f"{name}: needs a list, for example [{_shown(given)}]"
        case _:
            text = f"{name}: {details['msg'][:1].lower()}{details['msg'][1:]}, not {_shown(given)}; fix it"
    return file.mistake(place, text)


def _name(place: Place, file: YamlFile) -> str:
    """What to call a place in a message: its key, with the number of the list item (from 1) if it is one."""
    if not place:
        return file.path.name
    return f"{place[-2]}, item {place[-1] + 1}" if isinstance(place[-1], int) else place[-1]


def _shown(value: object) -> str:
    return "nothing" if value is None else f"{value!r:.60}"


def _place(loc: tuple[str | int, ...], file: YamlFile) -> Place:
    """Where in the file pydantic's location is: its steps, without those that name a branch of a union."""
    place: Place = ()
    for step in loc:
        if (*place, step) in file.lines:
            place = (*place, step)
    return place


def _model_at(model: type[BaseModel], loc: tuple[str | int, ...]) -> type[BaseModel]:
    """The model that stands at a location below `model`."""
    here: object = model
    for step in loc:
        here = _below(here, step)
    found = _model(here)
    return found or model


def _model(annotation: object) -> type[BaseModel] | None:
    origin = get_origin(annotation)
    if origin is Annotated:
        return _model(get_args(annotation)[0])
    if origin in (Union, UnionType):
        parts = (_model(part) for part in get_args(annotation))
        return next((part for part in parts if part is not None), None)
    return annotation if isinstance(annotation, type) and issubclass(annotation, BaseModel) else None


def _below(annotation: object, step: str | int) -> object:
    """The annotation one step below: a model's field, a dict's value, a list's item, a tagged branch of a union."""
    if (branch := _branch(annotation, step)) is not None:
        return branch
    model = _model(annotation)
    if model is not None:
        field = model.model_fields.get(str(step))
        return field.annotation if field else annotation
    origin = get_origin(annotation)
    if origin is Annotated:
        return _below(get_args(annotation)[0], step)
    if origin in (dict, list):
        return get_args(annotation)[-1]
    return annotation


def _branch(annotation: object, tag: str | int) -> object | None:
    """The branch of a union that has this tag."""
    parts = get_args(annotation)
    if get_origin(annotation) is Annotated:
        return _branch(parts[0], tag)
    return next((part for part in parts if Tag(str(tag)) in getattr(part, "__metadata__", ())), None)
