"""Why a template cannot be used."""

from __future__ import annotations

from llmstack_tui.base.sentences import Failure


class TemplateFailure(Failure):
    """A template is no Go template, uses what this interpreter has not, failed, or exceeded a limit."""
