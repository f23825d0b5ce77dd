"""C12: process start → the frame stands (every operation declared, schemas built), beside `import diffusers`.

The HTTP door does not exist yet, so "answered /livez" is stood in for by what it will need: the catalogue and its JSON
Schemas. That torch stays out of the process is checked in the same run.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

from bench.row import Row

OURS = """
import sys, gesso.wiring as w
schemas = [o.params.model_json_schema() for o in w.operations()]
assert len(schemas) > 5 and not {"torch", "diffusers", "onnxruntime", "numba", "scipy"} & set(sys.modules)
"""
LIBRARY = "import gesso, sys; gesso.Studio; assert 'torch' not in sys.modules"
PEER = "import diffusers"
PEER_FLUX = "from diffusers import FluxPipeline"


def run(quick: bool) -> list[Row]:
    rounds = 3 if quick else 7
    programs = {"ours": OURS, "library": LIBRARY, "peer": PEER, "flux": PEER_FLUX}
    seconds: dict[str, list[float]] = {name: [] for name in programs}
    for _ in range(rounds):
        for name, program in programs.items():
            start = time.perf_counter()
            subprocess.run([sys.executable, "-c", program], check=True, capture_output=True)
            seconds[name].append(time.perf_counter() - start)
    best = {name: statistics.median(values) for name, values in seconds.items()}
    rows = []
    for what, ours, peer in (
        ("frame ready: all declarations and schemas", "ours", "peer"),
        ("`from gesso import Studio`", "library", "peer"),
        ("frame ready, beside the pipeline one uses", "ours", "flux"),
    ):
        ratio = best[peer] / best[ours]
        met = ratio >= 5 and best[ours] <= 1.0
        rows.append(
            Row("C12", what, programs[peer], best[peer], best[ours], "s", ratio, "≥ 5×, ≤ 1.0 s", met, "whole process")
        )
    return rows
