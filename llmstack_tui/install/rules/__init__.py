"""What an installation does, as plain functions from what is known to a plan."""
