"""The line between Gesso and its decoder child: small JSON messages over a socket, files and pixels
through two nameless shared files that live as long as the child."""

from __future__ import annotations

import json
import os
import socket
import struct
import tempfile
from typing import Any

MAX_MESSAGE = 1 << 20
"""A longer message means the other side is broken."""


class Closed(Exception):
    """The other side is gone, or talks nonsense."""


def send(line: socket.socket, message: dict[str, Any]) -> None:
    """Send one message; raises `Closed` when nobody listens."""
    body = json.dumps(message).encode()
    try:
        line.sendall(struct.pack("<I", len(body)) + body)
    except ConnectionError as error:
        raise Closed from error


def receive(line: socket.socket) -> dict[str, Any]:
    """The next message; raises `Closed`, and `TimeoutError` after the socket's timeout."""
    try:
        (length,) = struct.unpack("<I", _exactly(line, 4))
        if length > MAX_MESSAGE:
            raise Closed
        message = json.loads(_exactly(line, length))
    except (ValueError, ConnectionError) as error:
        raise Closed from error
    if not isinstance(message, dict):
        raise Closed
    return message


def _exactly(line: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count:
        part = line.recv(count - len(data))
        if not part:
            raise Closed
        data += part
    return data


def anonymous_file() -> int:
    """A new file that has no name and vanishes with its last descriptor; in memory where the system can."""
    if hasattr(os, "memfd_create"):
        return os.memfd_create("gesso", os.MFD_CLOEXEC)
    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())


def write_all(file: int, data: memoryview) -> None:
    """Write `data` at the file's start."""
    view = data.cast("B")
    at = 0
    while at < len(view):
        at += os.pwrite(file, view[at : at + (1 << 30)], at)


def read_all(file: int, into: memoryview) -> None:
    """Fill `into` from the file's start; raises `Closed` when the file is shorter."""
    view = into.cast("B")
    at = 0
    while at < len(view):
        count = os.preadv(file, [view[at : at + (1 << 30)]], at)
        if count == 0:
            raise Closed
        at += count
