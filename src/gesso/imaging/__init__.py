"""Arithmetic on pixels: admission, colour, resize, feather, tile, composite, encode."""
