"""Finding what a picture is of, without weights."""
