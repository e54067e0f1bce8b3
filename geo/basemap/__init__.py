"""The base map in one PMTiles file."""
