"""The vocabulary of Gesso: types two rooms must agree on, capability protocols, errors. Imports stdlib, pydantic, numpy."""
