"""The command line: one verb per operation, derived from its declaration. Imports contracts, recipes, click and rich."""
