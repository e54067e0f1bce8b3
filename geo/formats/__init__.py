"""Layer files, in and out."""
