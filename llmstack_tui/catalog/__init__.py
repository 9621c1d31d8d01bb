"""Models worth having: what is known of them, how much memory they take, and how to find one."""
