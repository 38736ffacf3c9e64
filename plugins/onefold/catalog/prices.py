"""What an integration's resources cost, and what a system may cost in a month: catalog/prices.yaml.

The file need not be there: then everything is metered and nothing has a price.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Annotated

from pydantic import Field, ValidationError, model_validator

from onefold.catalog.mistakes import did_you_mean, mistakes_of
from onefold.catalog.model import Model, Name, mistake_at
from onefold.catalog.system import System, Zone
from onefold.catalog.yaml_file import CatalogError, Mistake, Place, YamlFile, read_yaml
from onefold.settings import ROOT

FILE = "catalog/prices.yaml"

Amount = Annotated[Decimal, Field(ge=0, max_digits=15)]
"""Money; YAML's numbers are exact up to 15 digits."""


class Price(Model):
    """A price and the days on which it holds, both included."""

    price: Amount
    valid_from: date = Field(description="the first day on which it holds")
    valid_to: date | None = Field(None, description="the last one; left out: until further notice")

    @model_validator(mode="after")
    def _ends_after_it_begins(self) -> Price:
        if self.valid_to is not None and self.valid_to < self.valid_from:
            raise mistake_at(
                "valid_to", f"valid_to {self.valid_to} is before valid_from {self.valid_from}; correct one"
            )
        return self


class Prices(Model):
    """Prices by what is used, each with its days; on a day without a price the use is shown and costs nothing."""

    requests: list[Price] = Field([], description="1,000 requests to a source, failed ones too")
    cpu: list[Price] = Field([], description="an hour of CPU time of the processes that load")
    storage: list[Price] = Field([], description="a gigabyte (10^9 bytes) in staging, for a month")
    input_tokens: list[Price] = Field([], description="a million tokens that a language model is sent")
    output_tokens: list[Price] = Field([], description="a million tokens that it answers")

    def by_kind(self) -> Iterator[tuple[str, list[Price]]]:
        """Each kind of price, with its prices."""
        yield "requests", self.requests
        yield "cpu", self.cpu
        yield "storage", self.storage
        yield "input_tokens", self.input_tokens
        yield "output_tokens", self.output_tokens


class Budget(Model):
    """What a system may cost in a month, and when to say so."""

    month: Decimal = Field(gt=0, max_digits=15, description="the amount, in the list's currency")
    alert_at: list[Annotated[int, Field(ge=1, le=1000)]] = Field(
        [80, 100], min_length=1, description="at how many percent of it an alert is opened, once a month each"
    )


class SystemPrices(Prices):
    """Prices of one system, which take the place of the general ones, its licence and its budget."""

    licence: list[Price] = Field([], description="a month of its licence or subscription, whatever is used")
    budget: Budget | None = None

    def by_kind(self) -> Iterator[tuple[str, list[Price]]]:
        yield from super().by_kind()
        yield "licence", self.licence


class PriceList(Model):
    """All prices, in one currency. Days and months are those of the time zone."""

    currency: str = Field(pattern="^[A-Z]{3}$", description="ISO 4217, as PLN")
    timezone: Zone = Field("Europe/Warsaw", description="the company's: whose days and months count")
    prices: Prices = Field(Prices(), description="of every system that says nothing else")
    systems: dict[Name, SystemPrices] = Field({}, description="what is a system's own")


def read_prices(systems: dict[str, System], root: Path = ROOT) -> PriceList | None:
    """The price list of a checkout; None where there is none. Raises CatalogError with every mistake of the file."""
    path = root / FILE
    if not path.exists():
        return None
    stat = path.stat()
    prices, file = _read(path, stat.st_mtime_ns, stat.st_size)
    mistakes = [*_wrong_systems(prices, systems, file), *_overlaps(prices, file)]
    if mistakes:
        raise CatalogError(mistakes)
    return prices


@lru_cache(maxsize=16)
def _read(path: Path, _changed: int, _size: int) -> tuple[PriceList, YamlFile]:
    file = read_yaml(path)
    try:
        return PriceList.model_validate(file.value), file
    except ValidationError as error:
        raise CatalogError(mistakes_of(error, PriceList, file)) from None


def _wrong_systems(prices: PriceList, systems: dict[str, System], file: YamlFile) -> Iterator[Mistake]:
    for name in prices.systems:
        if name not in systems:
            yield file.mistake(("systems", name), f'unknown system "{name}"; {did_you_mean(name, systems, "systems")}')


def _overlaps(prices: PriceList, file: YamlFile) -> Iterator[Mistake]:
    """Two prices of one thing on one day."""
    places: list[tuple[Place, Prices]] = [(("prices",), prices.prices)]
    places += [(("systems", name), each) for name, each in prices.systems.items()]
    for place, each in places:
        for kind, given in each.by_kind():
            for (_, earlier), (at, later) in pairwise(sorted(enumerate(given), key=lambda one: one[1].valid_from)):
                if earlier.valid_to is None or earlier.valid_to >= later.valid_from:
                    text = (
                        f"two prices of {kind} hold on {later.valid_from}; end the one from {earlier.valid_from} with "
                        "valid_to before that day"
                    )
                    yield file.mistake((*place, kind, at), text)
