"""Blobs and finished steps on disk."""
