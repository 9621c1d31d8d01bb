"""How servers of this machine are kept running: their state, start, stop, and start at login."""
