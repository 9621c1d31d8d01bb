"""What there is to say of keys; no sentence ever has one."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from llmstack_tui.base.sentences import Catalogue

SENTENCES: Catalogue = {
    "keys.not_installed": (
        "Keys are kept by a part that is not installed: pip install 'llmstack-tui[keys]'. Keys in "
        "environment variables work without it."
    ),
    # What is wrong with what was typed.
    "keys.no_owner": (
        "{owner:quoted} is neither the name of a provider, such as openai, nor the address of a server, such "
        "as http://gpu-box:8000."
    ),
    "keys.owner_like_key": "This looks like a key: name its owner first, the key is asked for after that.",
    "keys.empty": "There is no key: nothing was typed, or the input is empty.",
    "keys.unsound": (
        "This is no key: a key has up to {most} letters, digits and signs, and no spaces or line breaks."
    ),
    "keys.unsound_variable": (
        "{variable} holds no key: a key has letters, digits and signs, and no spaces or line breaks."
    ),
    # Whether there is one.
    "keys.none": "There is no key for {owner}: add it with `llmstack keys add {owner}`.",
    "keys.none_stored": (
        "No key is stored for {owner}: `llmstack keys list` shows which are, and where others come from."
    ),
    "keys.there": "There is a key for {owner} already: replace it with `llmstack keys rotate {owner}`.",
    "keys.gone": (
        "The key for {owner} is listed, but not where it was stored any more: add it again, after "
        "`llmstack keys remove {owner}`."
    ),
    "keys.variable_wins": "{variable} is set and wins: the stored key for {owner} is sent once it is not.",
    "keys.file_wins": (
        "The settings name {file}, which wins: the stored key for {owner} is sent once they do not."
    ),
    # What its owner says.
    "keys.refused": "{owner} refuses this key: nothing was stored.",
    "keys.new_refused": "{owner} refuses the new key: the old one stays.",
    "keys.not_validated": "The key was not validated: {why}",
    "keys.trial_unclear": "{owner} says neither yes nor no to the key: its answer has status {status}.",
    "keys.trial_failed": "{owner} cannot be asked: {why}.",
    # The keyring.
    "keys.no_keyring": "This system has no keyring that keeps keys.",
    "keys.keyring_failed": "The system's keyring refuses, or is locked ({why}).",
    "keys.keyring_hangs": (
        "The system's keyring has not answered within {limit_s:g} s: unlock it, and try again."
    ),
    "keys.keyring_lost_it": "The system's keyring did not give back what it was given.",
    "keys.file_instead": "The key is in an encrypted file instead: {file}.",
    # Files.
    "keys.locked": (
        "{file} is encrypted with a passphrase: give it when you are asked, or in LLMSTACK_KEYS_PASSPHRASE."
    ),
    "keys.wrong_passphrase": "The passphrase of {file} is another one, or the file is damaged.",
    "keys.short_passphrase": "A passphrase has at least {least} characters: a sentence is a good one.",
    "keys.damaged": (
        "{file} is damaged, or was encrypted on another machine: restore it from a copy, or remove it and "
        "add the keys again."
    ),
    "keys.damaged_list": "The list of keys {file} is damaged: restore it from a copy, or remove it.",
    "keys.no_machine_key": "{file} cannot be opened: {key}, which was made with it, is missing. Restore it.",
    "keys.other_version": (
        "{file} was written by a newer llmstack (version {version} of the format, and {known} is known). "
        "Update llmstack."
    ),
    "keys.unreadable": "{file} cannot be read: {why}.",
    "keys.not_written": "{file} cannot be written: {why}. It is as it was.",
    "keys.not_kept": "{file} did not keep the key: nothing is listed as stored.",
    "keys.busy": "Another llmstack changes the keys at this moment ({file}): try again.",
    "keys.file_there": "{file} is there already: choose another name.",
    "keys.no_export": "{file} is no file that `llmstack keys export` wrote.",
    "keys.of_a_machine": "{file} is the store of one machine: use what `llmstack keys export` wrote.",
}
