"""A file of another owner that can only be added to: anchors are copied to its end."""

from __future__ import annotations

import fcntl
import os
import struct
from dataclasses import dataclass
from pathlib import Path

import msgspec

from onefold.audit.anchor import Anchor, anchors_after, last_anchor
from onefold.errors import Fatal

_GET_FLAGS = 0x80086601
"""FS_IOC_GETFLAGS of Linux (64 bits), see ioctl_iflags(2)."""
_APPEND_ONLY = 0x20
"""FS_APPEND_FL: what `chattr +a` sets; only root can take it away."""


@dataclass(frozen=True)
class AppendOnlyFile:
    """A file that its owner, another account, has laid ready; this account may add to it."""

    name: str
    path: Path
    seconds_between: int = 0

    def send(self, newest: Anchor, path: Path) -> None:
        """Append all anchors that the file lacks. Raises Fatal when it is not there or may not be written."""
        try:
            descriptor = os.open(self.path, os.O_WRONLY | os.O_APPEND)
        except OSError as error:
            raise Fatal(
                f"{self.path} takes no checkpoints: {error.strerror}. Its owner, not Onefold, makes it: "
                f"install -m 662 /dev/null {self.path} && chattr +a {self.path} (docs/checkpoints.md)."
            ) from error
        with os.fdopen(descriptor, "wb", buffering=0) as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            since = self._newest()
            missing = [newest] if since is None else [each for each in anchors_after(path, since) if each.checkpoint]
            if missing:
                file.write(b"".join(msgspec.json.encode(each) + b"\n" for each in missing))
                os.fsync(file.fileno())

    def _newest(self) -> int | None:
        """The newest event that it covers, 0 for none; None when it may be written but not read."""
        try:
            last = last_anchor(self.path)
        except PermissionError:
            return None
        return last.seq if last else 0

    def is_readable(self) -> bool:
        """Whether this account can read it: a drop may be for writing only."""
        return os.access(self.path, os.R_OK)

    def how_to_rewrite(self) -> str | None:
        """How this account could change what is in the file; None when it cannot."""
        if os.geteuid() == 0:
            return "this runs as root, who may do everything here"
        try:
            descriptor = os.open(self.path, os.O_RDONLY)
            try:
                flags = struct.unpack("I", fcntl.ioctl(descriptor, _GET_FLAGS, bytes(8))[:4])[0]
            finally:
                os.close(descriptor)
        except OSError:
            flags = 0
        if flags & _APPEND_ONLY:
            return None
        return "the file is not append-only (chattr +a), so that whoever may write it may overwrite it"
