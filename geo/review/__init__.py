"""The review queue: doubtful places, decisions and what is learned from them."""
