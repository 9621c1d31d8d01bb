"""The types that the keys and values of a context are kept as, the largest first."""

CACHE_TYPES = ("f16", "q8_0", "q4_0")
DEFAULT_CACHE = CACHE_TYPES[0]
