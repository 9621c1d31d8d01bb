"""The errors and notices of the state file, in sentences."""

from __future__ import annotations

from llmstack_tui.base.sentences import Catalogue, Plural

SENTENCES: Catalogue = {
    "store.not_remembered": "Nothing of this session will be remembered. {why}",
    "store.system": "{file}: {why}.",
    "store.not_a_file": "{file} is no file: move it away, and a new one is made.",
    "store.set_aside": "The state file {file} was damaged: it is now {aside}, and a new one was created.",
    "store.newer": (
        "The state file {file} was written by a newer llmstack: it can be read, and nothing new is recorded. "
        "Update llmstack to use it again."
    ),
    "store.not_recorded": Plural(
        "count", one="1 entry was not recorded. {why}", other="{count} entries were not recorded. {why}"
    ),
    "store.writable_again": Plural(
        "count",
        one="1 entry was not recorded while {file} could not be written; now it can.",
        other="{count} entries were not recorded while {file} could not be written; now it can.",
    ),
    "store.opened_elsewhere": "Another program has been opening {file} for {waited_s:.0f} s.",
    "store.no_lock": (
        "The lock {file} cannot be made ({why}), so other programs of llmstack do not see what this one does."
    ),
    "store.closed": "{file} is closed.",
    "store.bad_entry": "{file} has an entry that cannot be understood: {why}.",
    "store.read_only": "{file} was written by a newer llmstack: update this one.",
    "store.ending": "Nothing can be looked up any more: the program is ending.",
    "store.damaged": "{file} is damaged: {why}.",
    # Errors of SQLite.
    "store.locked": "Another program keeps {file} locked; it is tried again later.",
    "store.full": "The disk is full, {file} cannot grow: free some space.",
    "store.damaged_meanwhile": "{file} is damaged ({why}): the next start sets it aside.",
    "store.unwritable": "{file} cannot be written to ({why}): give this user the permission.",
    "store.unusable": "{file} cannot be used: {why}.",
}
