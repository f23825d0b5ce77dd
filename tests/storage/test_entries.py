from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gesso.contracts.mask import Mask
from gesso.contracts.picture import Change, Origin, Picture
from gesso.storage.blobs import BlobStore
from gesso.storage.entries import blobs_of, decode_entry, encode_entry

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=4).filter(lambda k: "$" not in k), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(st.dictionaries(st.text(max_size=5).filter(lambda k: "$" not in k), JSON, max_size=4))
@settings(max_examples=60)
def test_plain_values_come_back(values: dict[str, object]) -> None:
    blobs = BlobStore(Path("/nowhere"))
    assert decode_entry(encode_entry(values, blobs), blobs) == values


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("channels", [3, 4])
def test_pictures_come_back_exactly(tmp_path: Path, dtype: type, channels: int) -> None:
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, np.iinfo(dtype).max + 1, (7, 5, channels), dtype)
    picture = Picture(pixels, (Change("icc_converted", "from P3"),), Origin("ä.png", "png", "a" * 64, 12))
    blobs = BlobStore(tmp_path)
    back = decode_entry(encode_entry({"all": [picture, {"one": picture}]}, blobs), blobs)
    assert back is not None
    for found in (back["all"][0], back["all"][1]["one"]):
        assert found == picture and found.changes == picture.changes and found.origin == picture.origin
        assert not found.pixels.flags.writeable
    assert len(list(blobs.names())) == 1


def test_masks_come_back_exactly(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    mask = Mask.of(rng.random((9, 4)), rng.random((9, 4)), made_by="remove-text 1", lineage=("a" * 64,))
    blobs = BlobStore(tmp_path)
    back = decode_entry(encode_entry({"mask": mask, "none": None}, blobs), blobs)
    assert back is not None and back["none"] is None
    assert back["mask"] == mask and back["mask"].made_by == mask.made_by and back["mask"].lineage == mask.lineage


def test_planes_of_one_value_need_no_blob(tmp_path: Path) -> None:
    blobs = BlobStore(tmp_path)
    mask = Mask.of(np.full((3, 4), 0.1), 0.7)
    data = encode_entry({"mask": mask}, blobs)
    assert blobs_of(data) == frozenset() and decode_entry(data, blobs) == {"mask": mask}


def test_any_changed_byte_of_an_entry_makes_it_absent(tmp_path: Path) -> None:
    blobs = BlobStore(tmp_path)
    data = encode_entry({"mask": Mask.of(np.eye(2), np.eye(2)), "n": 1}, blobs)
    assert len(blobs_of(data)) == 1  # coverage and confidence are equal planes
    for index in range(len(data)):
        broken = bytearray(data)
        broken[index] ^= 1
        assert decode_entry(bytes(broken), blobs) is None
        assert blobs_of(bytes(broken)) == frozenset()
    for cut in (0, 1, 64, 65, len(data) - 1):
        assert decode_entry(data[:cut], blobs) is None
