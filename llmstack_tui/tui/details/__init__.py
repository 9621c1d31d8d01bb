"""All that is known of one model."""
