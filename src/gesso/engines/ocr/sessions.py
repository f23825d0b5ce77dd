"""Inference sessions on the networks that `rapidocr` ships: where they are, with which threads they run."""

from __future__ import annotations

import hashlib
import importlib.util
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gesso.contracts.engine import Weights
from gesso.contracts.errors import EngineFailed, OutOfMemory, Unavailable

DETECTOR_FILE = "PP-OCRv6_det_small.onnx"
READER_FILE = "PP-OCRv6_rec_small.onnx"
MAX_THREADS = 4
"""Beyond this a 1024² detection gains little; servers run several steps side by side."""
LICENCE = "Apache-2.0"
OUT_OF_MEMORY_WORDS = ("bad_alloc", "Failed to allocate", "out of memory")

Blob = NDArray[np.float32]


def model_folder() -> Path | None:
    """The folder of the networks inside the installed `rapidocr`, found without importing it; None when not installed."""
    spec = importlib.util.find_spec("rapidocr")
    places = list(spec.submodule_search_locations or ()) if spec else []
    return Path(places[0]) / "models" if places else None


def missing() -> str:
    """Why text detection cannot be used, with the cure; empty when it can."""
    if importlib.util.find_spec("onnxruntime") is None:
        return "onnxruntime is not installed: pip install onnxruntime"
    folder = model_folder()
    if folder is None:
        return "rapidocr is not installed: pip install rapidocr"
    absent = [name for name in (DETECTOR_FILE, READER_FILE) if not (folder / name).is_file()]
    return f"the installed rapidocr lacks {', '.join(absent)}: pip install 'rapidocr>=3.10,<4'" if absent else ""


def default_threads() -> int:
    """Threads per session: the cores this process may use, at most `MAX_THREADS`; OMP_NUM_THREADS lowers it."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    asked = os.environ.get("OMP_NUM_THREADS", "")
    return max(1, min(cores, MAX_THREADS, int(asked) if asked.isdigit() and int(asked) else MAX_THREADS))


@dataclass(frozen=True)
class Network:
    """One loaded network. `run` may be called from many threads at once: inference sessions are thread-safe."""

    session: Any
    input_name: str
    weights: Weights
    metadata: dict[str, str]

    def run(self, blob: Blob) -> Blob:
        """The first output for `blob` (N×3×H×W float32); raises `EngineFailed` or `OutOfMemory`."""
        try:
            out: Blob = self.session.run(None, {self.input_name: blob})[0]
        except Exception as error:  # the runtime's pybind classes share no closer ancestor; this is the boundary
            text = str(error)
            if any(word in text for word in OUT_OF_MEMORY_WORDS):
                raise OutOfMemory("text detection ran out of memory", hint="use a smaller picture") from error
            raise EngineFailed("the text network failed") from error
        return out


def load(file: str, threads: int) -> Network:
    """The network `file` of the installed `rapidocr`; raises `Unavailable` when it is not there."""
    reason = missing()
    folder = model_folder()
    if reason or folder is None:
        raise Unavailable("text detection is not installed", code="capability_unavailable", hint=reason)
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    # A spinning pool is ruinous beside a busy neighbour and gains 3-4 % on a quiet machine (research/performance.md §8).
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # Every picture has another shape: remembered allocation patterns would only grow.
    options.enable_mem_pattern = False
    data = (folder / file).read_bytes()
    session = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    weights = Weights(id=f"rapidocr/{file}", sha256=hashlib.sha256(data).hexdigest(), licence=LICENCE)
    return Network(session, session.get_inputs()[0].name, weights, dict(session.get_modelmeta().custom_metadata_map))
