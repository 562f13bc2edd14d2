"""The content of the exercises, one module per chapter."""
