"""Server-rendered pages for people in the field: light, offline after the first look, no tracking."""
