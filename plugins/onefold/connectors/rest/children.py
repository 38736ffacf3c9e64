"""Streams that are listed for each record of another one: a parent is a partition, which is read to its proven end."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from onefold.catalog.parent import Parent, place_of
from onefold.catalog.request import Request
from onefold.catalog.stream import Stream
from onefold.catalog.system import System
from onefold.connectors.listing import names_time
from onefold.connectors.page import Page, PageReader
from onefold.connectors.partition import Partition
from onefold.connectors.rest.child_place import Batch, Place, place_from
from onefold.connectors.rest.fill import UnfitValue, Values, with_values
from onefold.connectors.rest.parents import Asking, OneParent, Parents, Picking, asking
from onefold.connectors.window import BEGINNING, Window
from onefold.errors import Fatal, OnefoldError
from onefold.http.failure import Refused

log = logging.getLogger(__name__)

Listing = Callable[[Request, Values], PageReader]
"""What reads the records of one parent: the request with its values, and the values, which go into the records."""

SEVERAL, MANY = 2, 10
"""So many parents that are listed and all gone speak of a wrong path: of all parents, and of those that changed."""
SLACK = timedelta(days=1)
"""How far past now all parents are asked for: one that is changed meanwhile would else leave the window, as if gone."""
ANEW = "anew"
"""The checkpoint, under no partition's name, of a load that could not tell of each record whose it is."""


def children_reader(system: System, stream_name: str, parents: PageReader, listing: Listing) -> PageReader:
    """Reads the stream once for each record that `parents` gives: see catalog/parent.py.

    A page's token names the parent and the page in it: after a crash the parents are listed anew, but none is asked
    again that has been read.
    """
    stream = system.streams[stream_name]
    if stream.parent is None:
        raise Fatal(f"{system.system}.{stream_name} has no parent in its YAML; give it one, or read it by itself.")
    return _Children(system, stream_name, stream, stream.parent, parents, listing).read


class _Children:
    def __init__(
        self, system: System, name: str, stream: Stream, parent: Parent, parents: PageReader, listing: Listing
    ) -> None:
        self._named = f"{system.system}.{name}"
        self._system = system
        self._stream = stream
        self._parent = parent
        self._of = system.streams[parent.stream]
        self._parents = parents
        self._listing = listing
        self._picking = Picking.of_parent(parent, self._of)
        first = stream.primary_key[0]
        self._belongs = stream.fields[first].path or first
        named_by = place_of(parent.fill[self._belongs], self._of.fields)
        self._one_each = [named_by] == [place_of(key, self._of.fields) for key in self._of.primary_key]

    def read(self, window: Window, token: str | None) -> Iterator[Page]:
        """See children_reader."""
        place = place_from(token)
        states = window.checkpoints
        changed = self._parent.changed and states.get("") != ANEW
        every = Window(BEGINNING, max(window.end, datetime.now(UTC)) + SLACK)
        with Parents() as parents:
            all_listed, pages = self._list(parents, window if changed else every)
            all_listed = all_listed and not (changed and _names_times(self._system, self._of))
            if all_listed and pages > 1 and parents.lacks(name for name in states if name):
                all_listed, _ = self._list(parents, every)  # it may have slipped from one page to another
            parents.add_again({name: state.again for name, text in states.items() if (state := asking(text)).again})
            if all_listed:
                parents.add_gone(name for name in states if name)
            batch = Batch(max(datetime.now(UTC), place.since))
            for partition, group in parents.groups(place.partition, included=not place.ended):
                mark, before = "\n".join(each.mark for each in group), asking(states.get(partition))
                begun = partition == place.partition
                if changed and not begun and before.mark == mark:
                    continue
                place = place if begun else place.begin(partition, batch.at)
                reading = True
                while reading:
                    for reached, page in self._group(group, place, batch, window):
                        place = reached
                        if page:
                            yield page
                    reading = place.may_lack(len(group), before.count)
                    place = place.once_more() if reading else place
                # of one that was begun before a crash, a part may be older than what the parent says now
                known = "" if begun else mark
                batch.ended.append(self._partition(place, group, known, all_listed=all_listed))
                place = place.at_its_end()
                if batch.full:
                    yield batch.page(place)
            self._require_some(place, states, changed=changed)
            yield from self._gone(parents, place, batch, states)

    def _list(self, parents: Parents, window: Window) -> tuple[bool, int]:
        """Read the parents; returns whether all that the source lists of them is there, and in how many pages."""
        whole = not self._of.retention_limited
        odd = number = 0
        for number, page in enumerate(self._parents(window, None), start=1):
            if number > self._system.limits.pages:
                raise Fatal(
                    f"{self._named}: the list of its parents ({self._parent.stream}) has more than "
                    f"{self._system.limits.pages} pages (limits.pages) and goes on. Report it to the system's owner, "
                    "or raise the limit in the system's YAML. Nothing was changed here."
                )
            found = [(record, self._picking.values(record.payload)) for record in page.records]
            fit = [(record, values) for record, values in found if values is not None and record.key is not None]
            odd += len(found) - len(fit)
            parents.add(self._belongs, fit)
            whole = whole and not any(partition.refused for partition in page.ended)
        if odd:
            log.warning(
                "%s: %d records of %s have no key, or nothing to ask with (parent.fill); their own records stay as "
                "they are, and none is taken for gone",
                *(self._named, odd, self._parent.stream),
            )
        return whole and not odd, number

    def _group(
        self, group: Sequence[OneParent], place: Place, batch: Batch, window: Window
    ) -> Iterator[tuple[Place, Page | None]]:
        """How far a partition has come after each answer, with a page where the batch is full."""
        for parent in group:
            if place.passed(parent.key):
                continue
            token = place.token if parent.key == place.key else None
            try:
                request = with_values(self._stream.request, parent.values)
                for page in self._listing(request, parent.values)(window, token):
                    batch.records += page.records
                    place = place.after_page(parent.key, page)
                    further = page.token is not None or parent is not group[-1]
                    yield place, batch.page(place) if batch.full and further else None
            except UnfitValue as error:
                place = place.after_unreadable(parent.key, f"it cannot be asked about: {error}", None)
            except Refused as error:
                if error.status in self._parent.gone:
                    place = place.after_gone(parent.key)
                elif error.status in self._parent.unreadable:
                    why = f"its records may not be read: status {error.status}"
                    place = place.after_unreadable(parent.key, why, dict(parent.values))
                else:
                    if batch.some:
                        yield place, batch.page(place)
                    raise self._hinted(error) from error
            except OnefoldError:
                if batch.some:  # what was read before need not be asked for again
                    yield place, batch.page(place)
                raise
            yield place, None

    def _partition(self, place: Place, group: Sequence[OneParent], mark: str, *, all_listed: bool) -> Partition:
        """The partition at its end: what it lacks is deleted where all of it was listed."""
        if place.refused:
            log.warning("%s: a %s was passed over: %s", self._named, self._parent.stream, place.refused)
            return Partition(place.partition, Asking(None, place.again).text(), refused=place.refused)
        all_of_each = not names_time(self._stream.request) or place.lost == len(group)
        whole = (all_listed or self._one_each) and all_of_each and not self._stream.retention_limited
        return Partition(place.partition, Asking(mark, [], place.records).text(), place.since if whole else None)

    def _gone(self, parents: Parents, place: Place, batch: Batch, states: Mapping[str, str]) -> Iterator[Page]:
        """The last pages: of parents that are gone everything is deleted. Where some record had no key nothing is, for
        it may be any parent's; the next load then asks all parents anew."""
        if place.keyless:
            log.warning("%s: records without a key were read; the next load asks all parents anew", self._named)
            batch.ended.append(Partition("", ANEW))
        else:
            since = None if self._stream.retention_limited else batch.at
            for partition in parents.gone():
                batch.ended.append(Partition(partition, None, since))
                if batch.full:
                    yield batch.page(place)
            if "" in states:
                batch.ended.append(Partition(""))
        yield batch.page(None)

    def _require_some(self, place: Place, states: Mapping[str, str], *, changed: bool) -> None:
        """Raises Fatal where no parent could be read and it is no matter of single ones."""
        if place.read:
            return
        if place.gone >= (MANY if changed else SEVERAL):
            raise Fatal(
                f"{self._named}: every {self._parent.stream} that is listed ({place.gone}) was answered with a status "
                "that parent.gone names. That is no matter of single ones: compare request.path with the system's "
                "interface. Nothing was changed here."
            )
        if place.unreadable and not any(asking(text).mark is not None for text in states.values()):
            raise Fatal(
                f"{self._named}: not one {self._parent.stream} could be read ({place.unreadable} were refused). Check "
                f"the rights of the Airflow connection {self._system.connection!r}. Nothing was changed here."
            )

    def _hinted(self, error: Refused) -> Refused:
        status = error.status
        hint = (
            f" If it means that this one {self._parent.stream} is gone, or may not be read, say so in the stream's "
            f"YAML (parent: {{gone: [{status}]}} or {{unreadable: [{status}]}})."
        )
        return Refused(f"{error}{hint if status in (403, 404, 410) else ''}", status)


def _names_times(system: System, stream: Stream) -> bool:
    """Whether what is listed of the stream depends on the window."""
    if names_time(stream.request):
        return True
    return stream.parent is not None and _names_times(system, system.streams[stream.parent.stream])
