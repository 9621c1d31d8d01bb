"""The activity on a screen of its own, and all that is known of one line of it."""
