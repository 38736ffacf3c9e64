"""A write-back to a target of the catalogue, over the system's connection."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager

from onefold.catalog.reader import read_catalog
from onefold.catalog.target_reader import read_targets
from onefold.errors import Fatal
from onefold.http.attempt import Attempt
from onefold.http.endpoint import Endpoint
from onefold.http.limit import WarehouseLimiter
from onefold.write_back.place import opener
from onefold.write_back.run import WriteBack

log = logging.getLogger(__name__)


@contextmanager
def write_back_to(name: str, url: str, endpoint_of: Callable[[str], Endpoint]) -> Iterator[WriteBack]:
    """The write-back to the target of this name; `url` is the warehouse's, in which the system's rates are stored, with
    all others who ask it. Raises Fatal when there is no such target."""
    catalog = read_catalog()
    targets = read_targets(catalog)
    if name not in targets:
        raise Fatal(f"There is no target {name!r} in catalog/targets; there is: {', '.join(targets) or 'none'}.")
    target = targets[name]
    system = catalog.systems[target.system]
    endpoint = endpoint_of(system.connection)
    with closing(WarehouseLimiter(url)) as limiter:
        open_object = opener(target, system, endpoint, _log_attempt, limiter=limiter, stream=target.target)
        yield WriteBack(url, endpoint.url, target, system, catalog.entities, open_object)


def _log_attempt(attempt: Attempt) -> None:
    log.debug("%s", attempt)
