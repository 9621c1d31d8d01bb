"""The core that the dashboard and the command line share: the state of all hosts, and what may be done."""
