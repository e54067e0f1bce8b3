"""The map: coordinates, addresses, grid areas, distances and hotspots."""
