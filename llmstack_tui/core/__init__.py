"""The headless core of both faces: the state of all hosts, the services around them, what may be asked."""
