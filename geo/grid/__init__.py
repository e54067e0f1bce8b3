"""Grid areas, official and not: codes, topology, versions, analysis cells, patrol areas."""
