"""Test support: fakes and ground truth."""
