"""Writes the catalogues anew: ``python -m tests.languages``.

``--missing`` also lists the texts without a translation, ``--unmarked [PATH …]`` only the strings that nobody
has marked as texts.
"""

from __future__ import annotations

import sys

from tests.languages import catalogues
from tests.languages.sources import unmarked


def main() -> int:
    if "--unmarked" in sys.argv:
        wanted = sys.argv[2:]
        for path, line, text in unmarked():
            if not wanted or any(path.startswith(each) for each in wanted):
                print(f"{path}:{line}: {text!r}")
        return 0
    for code in catalogues.CODES:
        untranslated = catalogues.update(code)
        print(f"{code}: {len(untranslated)} texts without a translation")
        for each in untranslated if "--missing" in sys.argv else ():
            print(f"  {each!r}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
