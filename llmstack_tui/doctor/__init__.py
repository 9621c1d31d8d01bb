"""Looks at this installation, and says what is wrong with it and how to mend it. It changes nothing."""
