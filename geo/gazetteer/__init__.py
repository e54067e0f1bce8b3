"""The offline gazetteer: known addresses by road and number, candidates, interpolation, calibrated radii."""
