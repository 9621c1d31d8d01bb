"""``python -m tests.catalog``: check the catalogue that the package carries."""

from __future__ import annotations

import sys

from llmstack_tui.catalog.service import load_catalog
from tests.catalog.shape import faults


def main() -> int:
    catalog = load_catalog()
    found = faults(catalog)
    for fault in found:
        print(fault)
    shapeless = [entry.name for entry in catalog.entries if entry.files and entry.attention is None]
    unlicensed = [entry.name for entry in catalog.entries if entry.license is None]
    unmeasured = [entry.name for entry in catalog.entries if not entry.speeds]
    unrated = [entry.name for entry in catalog.entries if not entry.qualities]
    print(f"{len(catalog.entries)} models with the tags of {catalog.tags_as_of}, {len(found)} faults.")
    print("No source was found for")
    print(f"- the shape of {', '.join(shapeless) or 'none'}")
    print(f"- the licence of {', '.join(unlicensed) or 'none'}")
    print(f"- the speed of {', '.join(unmeasured) or 'none'}")
    print(f"- the quality of {', '.join(unrated) or 'none'}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
