"""The contract that the connector of every source meets, one protocol's or one system's own."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from types import TracebackType
from typing import ClassVar, Generic, Protocol, Self, TypeVar, Unpack

from onefold.catalog.stream import Stream
from onefold.catalog.system import System
from onefold.connectors.capabilities import Capabilities
from onefold.connectors.lag import Lag
from onefold.connectors.listing import is_listed_whole, whole_listing
from onefold.connectors.lookup import LookupKeys
from onefold.connectors.page import Page, PageReader
from onefold.connectors.peek import Peek
from onefold.connectors.position import IntegerPosition
from onefold.connectors.window import ResumeCursor, Window
from onefold.errors import Fatal
from onefold.http.attempt import Attempt
from onefold.http.endpoint import Endpoint
from onefold.http.persistent import AttemptSettings


class Transport(Protocol):
    """The one way to a source, open while its context is entered: an HTTP client, a database, a store of files."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None, /
    ) -> None: ...


TransportT = TypeVar("TransportT", bound=Transport)


def no_cursor(window: Window) -> IntegerPosition | None:
    """The resume cursor of a stream of which nothing is published."""
    return None


@dataclass(frozen=True, slots=True)
class StreamSource:
    """The stream that a connector is to read. `lookup_keys` are what a look-up is asked about; `resume_cursor` says
    where a stream with an integer cursor goes on. Raises Fatal when the system has no such stream."""

    system: System
    stream_name: str
    endpoint: Endpoint
    lookup_keys: LookupKeys | None = None
    resume_cursor: ResumeCursor = no_cursor

    def __post_init__(self) -> None:
        if self.stream_name not in self.system.streams:
            raise Fatal(
                f"{self.system.system} has no stream {self.stream_name!r}; it has: "
                f"{', '.join(sorted(self.system.streams))}. Add it to catalog/systems/{self.system.system}.yaml."
            )

    @property
    def stream(self) -> Stream:
        return self.system.streams[self.stream_name]

    @property
    def named(self) -> str:
        """What messages call the stream."""
        return f"{self.system.system}.{self.stream_name}"

    @property
    def keys(self) -> LookupKeys:
        """What the look-up is asked about. Raises Fatal when nothing was given to ask about."""
        if self.lookup_keys is None:
            raise Fatal(f"{self.named} is a look-up: say `lookup` in catalog/systems/{self.system.system}.yaml.")
        return self.lookup_keys


class Connector(ABC, Generic[TransportT]):
    """Reads one stream over an open transport.

    What it can do beyond reading is data, `capabilities`: who calls `count`, `feed` or `acknowledge` asks there first.
    The class is made by the registry, which knows it by the protocol or by the system's own module.
    """

    capabilities: ClassVar[Capabilities]

    def __init__(self, source: StreamSource, transport: TransportT) -> None:
        self.source = source
        self.transport = transport

    @classmethod
    @abstractmethod
    def open_transport(
        cls,
        system: System,
        endpoint: Endpoint,
        on_attempt: Callable[[Attempt], None],
        **settings: Unpack[AttemptSettings],
    ) -> TransportT:
        """The way to the system, to be entered as a context. Each attempt is handed to `on_attempt`.

        Raises Fatal when the endpoint cannot be one of this protocol's.
        """

    @classmethod
    def slot_name(cls, system: System, stream_name: str) -> str | None:
        """The slot that the source keeps its log for as long as the stream is read; None where there is no such."""
        return None

    @classmethod
    def open_peek(cls, system: System, endpoint: Endpoint) -> Peek:
        """What says cheaply whether the system has anything to load (capabilities.peeks), to be entered as a
        context."""
        raise cls._cannot("peek")

    @abstractmethod
    def page_reader(self) -> PageReader:
        """What reads the stream's pages. It is made once, at the first `read`."""

    @cached_property
    def _read(self) -> PageReader:
        read = self.page_reader()
        return whole_listing(read) if is_listed_whole(self.capabilities, self.source.stream) else read

    def read(self, window: Window, token: str | None) -> Iterator[Page]:
        """The pages of a window, from the token of the last one taken on; None: from the start.

        Raises Retriable when the source cannot be read now, Fatal when somebody must repair something first.
        """
        return self._read(window, token)

    def count(self, windows: Sequence[Window]) -> list[int]:
        """How many records the source has in each of the windows, whose ends are on whole steps (capabilities.counting)
        or now."""
        raise self._cannot("count")

    def feed(self, day: date) -> set[str]:
        """The keys that the source's feed names on a day (capabilities.feed)."""
        raise self._cannot("feed")

    def acknowledge(self, keys: Sequence[str]) -> None:
        """Tell the source that the records with these keys are published (capabilities.acknowledges). It may be told
        of a key more than once."""
        raise self._cannot("acknowledge")

    def confirm(self, checkpoint: str) -> Lag | None:
        """Tell the source, where it needs to know, up to where the stream is published (capabilities.confirms), by the
        stored checkpoint. It may be told more than once. Returns how far the stream is behind after that, where the
        source says so."""
        raise self._cannot("confirm")

    @classmethod
    def _cannot(cls, what: str) -> NotImplementedError:
        return NotImplementedError(f"{cls.__name__} has no {what}: ask its capabilities first")
