"""The command door's rooms: one module for each group of commands."""
