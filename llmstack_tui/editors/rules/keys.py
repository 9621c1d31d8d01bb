"""Where the key of a server goes in the text of settings. Pure."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from llmstack_tui.base.secret import Secret
from llmstack_tui.editors.types import KEY, MASK, Form

if TYPE_CHECKING:
    from collections.abc import Mapping


def masked(text: str) -> str:
    """The text as it may be seen."""
    return text.replace(KEY, MASK)


def with_key(text: str, form: Form, key: Secret | None) -> Secret:
    """The text as it is copied or written: a secret itself, as it has the key."""
    # Nothing else holds the key here, as a traceback can show what a variable has.
    return Secret(text if key is None else text.replace(KEY, _escaped(form, key).text))


def marked(text: str | None, form: Form, key: Secret | None) -> str | None:
    """The reverse of `with_key`: the text of a file, with `KEY` in place of the key; None for no file."""
    return text if text is None or key is None else text.replace(_escaped(form, key).text, KEY)


def exports(variables: Mapping[str, str]) -> str:
    """The lines for a POSIX shell that set these variables."""
    return "\n".join(f"export {name}='{value}'" for name, value in variables.items())


def _escaped(form: Form, key: Secret) -> Secret:
    """A key of printable ASCII, as it stands between the quotation marks of the form."""
    match form:
        case Form.FIELDS:
            return key
        case Form.SHELL:
            return Secret(key.text.replace("'", "'\\''"))
    return Secret(json.dumps(key.text)[1:-1])  # TOML and YAML have JSON's escapes.
