"""The doors: pages, phone, command line and HTTP."""
