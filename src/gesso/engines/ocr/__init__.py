"""Finding and reading text with the PP-OCRv6 networks that ship inside the `rapidocr` wheel."""
