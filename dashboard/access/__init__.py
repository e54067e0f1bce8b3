"""Who gets in: hosts, doors, log-in, open websockets, bounded work, faults as pages."""
