"""Benchmarks: one module per bar; `make bench` prints them as one table."""
