import cv2
import numpy as np
import pytest

from gesso.engines.ocr.confidence import confidence_of, worth_reading
from gesso.engines.ocr.lines import Line, clockwise, lines_of, merged, sides
from gesso.engines.ocr.reading import STRIP_HEIGHT, Words, strip_of


def quad(x0: float, y0: float, x1: float, y1: float) -> np.ndarray:
    return np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]], np.float32)


def test_a_core_is_found_and_grown_back() -> None:
    probability = np.zeros((64, 160), np.float32)
    probability[24:36, 20:120] = 0.9
    (line,) = lines_of(probability)
    along, across = sides(line.quad)
    assert line.score == pytest.approx(0.9, abs=0.1) and line.peak == pytest.approx(0.9)
    assert across > 20 and along > 110 and across < along


def test_faint_and_tiny_cores_are_dropped() -> None:
    probability = np.zeros((64, 160), np.float32)
    probability[10:20, 20:120] = 0.35
    probability[40:41, 20:22] = 0.99
    assert lines_of(probability) == []


def test_corners_run_clockwise_from_the_top_left() -> None:
    turned = cv2.boxPoints(((50, 50), (60, 20), 20)).astype(np.float32)
    a, b, c, d = clockwise(turned)
    assert a[0] < b[0] and d[0] < c[0] and a[1] < d[1] and b[1] < c[1]


def test_the_same_line_of_two_tiles_is_one() -> None:
    whole, part = Line(quad(0, 0, 100, 20), 0.8, 0.9), Line(quad(2, 1, 60, 19), 0.9, 1.0)
    (one,) = merged([part, whole])
    assert np.array_equal(one.quad, whole.quad) and one.score == 0.9
    pieces = merged([Line(quad(0, 0, 100, 20), 0.8, 0.9), Line(quad(80, 0, 200, 20), 0.9, 1.0)])
    assert len(pieces) == 1 and sides(pieces[0].quad)[0] == pytest.approx(200, abs=2)
    apart = merged([Line(quad(0, 0, 100, 20), 0.8, 0.9), Line(quad(0, 40, 100, 60), 0.9, 1.0)])
    assert len(apart) == 2


def test_confidence_rises_with_either_score_and_falls_for_round_things() -> None:
    sure, doubtful = Line(quad(0, 0, 200, 30), 0.92, 1.0), Line(quad(0, 0, 200, 30), 0.75, 1.0)
    assert not worth_reading(sure, 500) and worth_reading(doubtful, 500)
    assert confidence_of(sure, None, 500) > 0.9
    words = [confidence_of(doubtful, Words("Some words", score), 500) for score in (0.2, 0.6, 0.99)]
    assert words == sorted(words) and words[0] < 0.5 < words[2]
    eye = Line(quad(0, 0, 110, 100), 0.7, 1.0)
    assert worth_reading(eye, 300) and confidence_of(eye, Words("O", 0.6), 300) < 0.5
    everything = Line(quad(0, 0, 1000, 900), 0.93, 1.0)
    assert worth_reading(everything, 1000) and confidence_of(everything, Words("", 0.0), 1000) < 0.5


def test_strips_are_upright_and_of_one_height() -> None:
    rgb = np.zeros((200, 200, 3), np.uint8)
    assert strip_of(rgb, quad(10, 10, 110, 30)).shape == (STRIP_HEIGHT, 240, 3)
    assert strip_of(rgb, quad(10, 10, 30, 110)).shape == (STRIP_HEIGHT, 240, 3)
