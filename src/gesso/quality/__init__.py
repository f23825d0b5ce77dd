"""Measures of finished pictures, and the gates made of them."""
