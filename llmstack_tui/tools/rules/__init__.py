"""Pure rules: who is asked before a call, and whether a talk turns in circles."""
