"""How one family does it; one folder each, none knows another."""
