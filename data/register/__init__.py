"""What comes in: institutions, officers, surroundings, recusals, and the tables they come in."""
