"""The road graph: profiles, contraction, snapping, shortest paths, route servers."""
