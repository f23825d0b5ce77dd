"""Embedded colour profiles to sRGB, through LittleCMS.

Relative colorimetric with black-point compensation throughout: it keeps in-gamut colours exactly (perceptual tables
shift them), and matrix profiles know no other intent.
"""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms

from gesso.imaging.notes import Notes
from gesso.imaging.profile import converted, read_profile

Array = NDArray[Any]

_INTENT = ImageCms.Intent.RELATIVE_COLORIMETRIC
_FLAGS = ImageCms.Flags.BLACKPOINTCOMPENSATION
_SPACES = {"RGB ": "RGB", "GRAY": "L", "CMYK": "CMYK", "Lab ": "LAB"}
_SAME = 1
"""A profile that moves no colour of the probe by more than this many 8-bit levels is taken to be sRGB itself."""


def srgb_profile() -> bytes:
    """An sRGB profile as bytes, the same on every call (its creation date is blanked)."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    profile[24:36] = bytes(12)
    profile[84:100] = bytes(16)
    return bytes(profile)


def to_srgb(image: Image.Image, icc: bytes | None, notes: Notes) -> Image.Image:
    """`image` (L, RGB, CMYK or LAB) as L or RGB in sRGB, converted from the profile `icc` where it has one that fits.

    A profile that is broken or belongs to another colour model is left out, with a note (profile_invalid,
    profile_mismatch); a conversion is noted as colour_converted. Gray stays L when it has no profile.
    """
    transform = _transform(image.mode, icc, notes) if icc else None
    if transform is not None:
        done = transform.apply(image)
        return done
    if image.mode == "CMYK":
        notes.add("cmyk_converted", "CMYK without a usable profile was converted to sRGB by the plain formula")
        return image.convert("RGB")
    if image.mode == "LAB":
        return _lab().apply(image)
    return image


def deep_to_srgb(pixels: Array, icc: bytes, notes: Notes) -> Array:
    """H×W×C uint16 (C 1…4: gray or RGB, with or without alpha) from the profile `icc` to sRGB.

    In full precision where the profile is a matrix or gray one; otherwise through LittleCMS, and then the result is uint8
    and noted as bit_depth_reduced. Broken and unfitting profiles as in `to_srgb`.
    """
    colours = 3 if pixels.shape[2] > 2 else 1
    transform = _transform("RGB" if colours == 3 else "L", icc, notes)
    if transform is None:
        return pixels
    colour, alpha = pixels[:, :, :colours], pixels[:, :, colours:]
    source, target = read_profile(icc), read_profile(srgb_profile())
    if source is not None and target is not None and len(source.curves) == colours:
        return np.concatenate([converted(colour, source, target), alpha], axis=2)
    notes.add("bit_depth_reduced", "the colour profile could be applied in 8 bits only")
    small = (pixels >> 8).astype(np.uint8)
    flat = Image.fromarray(small[:, :, :3] if colours == 3 else small[:, :, 0])
    return np.concatenate([np.asarray(transform.apply(flat)), small[:, :, colours:]], axis=2)


def _lab() -> ImageCms.ImageCmsTransform:
    return ImageCms.ImageCmsTransform(
        ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")),
        ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")),
        "LAB",
        "RGB",
        _INTENT,
        flags=_FLAGS,
    )


def _transform(mode: str, icc: bytes, notes: Notes) -> ImageCms.ImageCmsTransform | None:
    try:
        profile = ImageCms.ImageCmsProfile(io.BytesIO(icc))
        space = _SPACES.get(profile.profile.xcolor_space, "")
        name = (profile.profile.profile_description or "unnamed").strip()[:80]
    except (OSError, ImageCms.PyCMSError, UnicodeError, ValueError):
        notes.add("profile_invalid", "the embedded colour profile is broken; the colours were taken as sRGB")
        return None
    if space != mode:
        kind = profile.profile.xcolor_space.strip()
        notes.add("profile_mismatch", f"the colour profile is for {kind}, the picture is {mode}; taken as sRGB")
        return None
    try:
        target = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
        transform = ImageCms.ImageCmsTransform(profile, target, mode, "RGB", _INTENT, flags=_FLAGS)
        if mode in ("RGB", "L") and _is_srgb(transform, mode):
            return None
    except (OSError, ImageCms.PyCMSError, ValueError):
        notes.add("profile_invalid", "the embedded colour profile is broken; the colours were taken as sRGB")
        return None
    notes.add("colour_converted", f"converted from the profile “{name}” to sRGB")
    return transform


def _is_srgb(transform: ImageCms.ImageCmsTransform, mode: str) -> bool:
    """Whether `transform` changes a probe of colours (a 9-step lattice, or all grays) by no more than `_SAME`."""
    probe: NDArray[np.uint8]
    expected: NDArray[np.uint8]
    if mode == "L":
        probe = np.arange(256, dtype=np.uint8).reshape(1, -1)
        expected = np.repeat(probe[..., None], 3, axis=2)
    else:
        steps = np.linspace(0, 255, 9).round().astype(np.uint8)
        probe = np.stack(np.meshgrid(steps, steps, steps), axis=-1).reshape(1, -1, 3)
        expected = probe
    found = np.asarray(transform.apply(Image.fromarray(probe)))
    return int(np.abs(found.astype(np.int16) - expected).max()) <= _SAME
