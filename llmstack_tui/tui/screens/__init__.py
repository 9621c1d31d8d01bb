"""One folder per screen: its code beside its styles."""
