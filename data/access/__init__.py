"""Who may: passwords, log-in tries, known devices and server-side sessions."""
