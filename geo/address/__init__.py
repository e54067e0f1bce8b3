"""Chinese addresses: their parts, numerals, district names and keys."""
