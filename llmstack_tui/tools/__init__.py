"""Functions that a model may call: what each does, who is asked before, and the loop that runs them."""
