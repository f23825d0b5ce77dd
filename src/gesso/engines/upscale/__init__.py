"""Enlarging without weights: oriented kriging, compiled by numba, on CPU."""
