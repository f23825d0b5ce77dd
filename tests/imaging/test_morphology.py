from __future__ import annotations

import numpy as np

from gesso.imaging import morphology as m


def square(low: int, high: int, size: int = 60) -> m.Bits:
    out = np.zeros((size, size), bool)
    out[low:high, low:high] = True
    return out


def test_opening_removes_threads_and_keeps_bodies_at_the_edge() -> None:
    bits = square(0, 30)
    thread = bits.copy()
    thread[40, :] = True
    assert np.array_equal(m.opened(thread, 3)[:, :20], m.opened(bits, 3)[:, :20])
    assert not m.opened(thread, 3)[40].any()
    assert m.opened(bits, 3)[0, 0]


def test_closing_fills_gaps() -> None:
    bits = square(10, 50)
    bits[30, :] = False
    assert m.closed(bits, 2)[30, 30]


def test_shrinking_spares_the_edge() -> None:
    out = m.shrunk(square(0, 30), 4)
    assert out[0, 0] and out[25, 25] and not out[26, 10]
    assert m.grown(square(20, 30), 4)[17, 25]


def test_components_and_holes() -> None:
    bits = square(10, 40)
    bits[50, 50] = True
    assert not m.without_small(bits, 10)[50, 50]
    assert m.without_small(bits, 10)[20, 20]
    ring = square(10, 40) & ~square(15, 20)
    assert m.filled(ring)[17, 17] and not m.filled(ring, area=10)[17, 17]
    assert not m.filled(ring)[5, 5]
    seeds = np.zeros_like(bits)
    seeds[20, 20] = True
    assert not m.touching(bits, seeds)[50, 50] and m.touching(bits, seeds)[20, 20]


def test_perimeter_follows_the_outline() -> None:
    assert 100 < m.perimeter(square(10, 40)) < 130
