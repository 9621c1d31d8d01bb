"""The models of the servers: what is installed, what is loaded, and what it costs."""
