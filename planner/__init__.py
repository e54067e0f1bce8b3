"""The desk: who goes where and when, and why."""
