"""The line between Gesso and its decoder child: small JSON messages over a socket, pixels and files by descriptor."""

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


def send(line: socket.socket, message: dict[str, Any], descriptors: tuple[int, ...] = ()) -> None:
    """Send one message with open file descriptors."""
    body = json.dumps(message).encode()
    data = struct.pack("<I", len(body)) + body
    if descriptors:
        sent = socket.send_fds(line, [data], descriptors)
        data = data[sent:]
    if data:
        line.sendall(data)


def receive(line: socket.socket, descriptors: int = 0) -> tuple[dict[str, Any], list[int]]:
    """The next message and up to `descriptors` files; raises `Closed`, and `TimeoutError` after the socket's timeout."""
    data = b""
    files: list[int] = []
    try:
        while len(data) < 4 or len(data) < 4 + struct.unpack_from("<I", data)[0]:
            if len(data) >= 4 and struct.unpack_from("<I", data)[0] > MAX_MESSAGE:
                raise Closed
            if descriptors and not files:
                part, files, _, _ = socket.recv_fds(line, 65536, descriptors)
            else:
                part = line.recv(65536)
            if not part:
                raise Closed
            data += part
        message = json.loads(data[4:])
        if not isinstance(message, dict):
            raise Closed
        return message, files
    except BaseException as error:
        for file in files:
            os.close(file)
        if isinstance(error, ValueError | ConnectionError):
            raise Closed from error
        raise


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
