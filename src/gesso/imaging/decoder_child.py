"""The decoder process: ``python -m gesso.imaging.decoder_child``. Started and ended by `decoder.Decoder`.

It holds one file at a time, decodes it under resource limits and without access to files, network or other processes,
and ends when its line to the parent closes.
"""

from __future__ import annotations

import contextlib
import os
import socket
import sys
from typing import Any

import numpy as np
from PIL import Image

from gesso.contracts.errors import BadImage
from gesso.imaging import decoding, sandbox, wire

AVIF_THREADS = 2
"""dav1d would start one per core, each with an own stack and arena, which counts against the address space."""


def main() -> None:
    """Serve until the line closes.

    Arguments: descriptors of the socket, of the file to read and of the file to fill, address space in bytes, "heic" or "-".
    """
    line_fd, source, target, memory = (int(argument) for argument in sys.argv[1:5])
    line = socket.socket(fileno=line_fd)
    _load_plugins(heic=sys.argv[5] == "heic")
    sandbox.limit_resources(memory)
    state = sandbox.forbid_everything_else()
    with contextlib.suppress(wire.Closed):
        wire.send(line, {"ready": True, "sandbox": state})
        while True:
            wire.send(line, _answer(wire.receive(line), source, target))


def _answer(message: dict[str, Any], source: int, target: int) -> dict[str, Any]:
    sandbox.allow_cpu(message.pop("cpu_seconds"))
    size = message.pop("bytes")
    Image.MAX_IMAGE_PIXELS = message["max_pixels"]
    try:
        pixels, notes = decoding.decode(os.pread(source, size, 0), decoding.Order(**message))
        wire.write_all(target, pixels.data)
        return {"shape": pixels.shape, "deep": pixels.dtype == np.uint16, "notes": notes}
    except BadImage as error:
        return {"error": error.as_json()}
    except Exception as error:  # noqa: BLE001 - the boundary to foreign code: whatever a codec raises is about this file
        return {"error": decoding.translated(error).as_json()}


def _load_plugins(heic: bool) -> None:
    """Import all that decoding may need, because nothing can be opened later."""
    import encodings.ascii
    import encodings.latin_1
    import encodings.utf_16
    import encodings.utf_16_be
    import encodings.utf_16_le  # noqa: F401

    from PIL import (
        AvifImagePlugin,
        ExifTags,  # noqa: F401
        GifImagePlugin,  # noqa: F401
        ImageCms,
        ImageOps,  # noqa: F401
        ImagePalette,  # noqa: F401
        ImageSequence,  # noqa: F401
        JpegImagePlugin,  # noqa: F401
        MpoImagePlugin,  # noqa: F401
        PngImagePlugin,  # noqa: F401
        TiffImagePlugin,  # noqa: F401
        WebPImagePlugin,  # noqa: F401
    )

    AvifImagePlugin.DEFAULT_MAX_THREADS = AVIF_THREADS
    Image.preinit()
    ImageCms.createProfile("sRGB")
    if heic:
        import pi_heif

        pi_heif.register_heif_opener()


if __name__ == "__main__":
    main()
