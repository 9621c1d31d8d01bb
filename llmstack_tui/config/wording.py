"""The sentences about mistakes in the settings, and about keys. A setting's row tells what it may be."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmstack_tui.base.sentences import Plural

if TYPE_CHECKING:
    from llmstack_tui.base.sentences import Catalogue

SENTENCES: Catalogue = {
    "key.invalid_setting": "{problems}",
    "key.missing": "There is no key in {file}: make one with `llmstack engine key`.",
    "key.unreadable": "The key in {file} cannot be read: {why}.",
    "key.open_to_others": "Others can read the key in {file}: keep it to yourself with `chmod 600 {file}`.",
    "key.malformed": (
        "The content of {file} is no key: a key is one line of at least 16 letters, digits and signs. "
        "`llmstack engine key --new` makes one."
    ),
    "key.not_written": "The key cannot be written to {file}: {why}.",
    # The file.
    "settings.unreadable": "{file} cannot be read: {why}.",
    "settings.endless": "{file} was not read: it is not a file, and its output does not end.",
    "settings.no_output": "{file} was not read: it is not a file, and has no output.",
    "settings.too_large": "{file} was not read: the file is larger than {most:size}.",
    "settings.not_text": "{file} was not read: the file is not UTF-8 text.",
    "settings.not_toml": "{file} was not read, the file is not valid TOML: {why}.",
    "settings.too_deep": "{file} was not read: a value in it is nested too deep, or too long.",
    "settings.not_changed": "{file} is not valid TOML: {why}. Put that right first; nothing was changed.",
    "settings.unusual": (
        "{file} is written in a way that llmstack could not keep: change it with an editor. It is as it was."
    ),
    "settings.locked": "Another llmstack is writing {file}: try again.",
    "settings.more": Plural(
        "count", one="One more setting is wrong.", other="{count} more settings are wrong."
    ),
    "settings.unclear": "Until that is corrected, nothing is changed anywhere, as with read_only = true.",
    # The file of a theme.
    "theme.taken": "{file} is not used: {name} is a theme of llmstack itself. Give the file another name.",
    "theme.bad_name": (
        "{file} is not used: its name must be up to 40 small letters, digits, - and _, and then .toml."
    ),
    "setting.unknown_colour": "{name} is nothing that a theme has. Known: {known}.",
    "theme.faint": "{file}: too little contrast on {ground} (below {least} to 1): {names}.",
    # What a setting may be: the words after "must be".
    "allowed.flag": "true or false",
    "allowed.integer": "a whole number from {low} to {high}",
    "allowed.colour": 'a colour such as "#1f252d"',
    "allowed.theme": "{names}, or the name of a file in the folder themes beside the settings",
    "allowed.one_of": "{names:any}",
    "allowed.optional": "{allowed}, or {none}",
    "allowed.duration": 'a length of time such as "90s", "10m" or "1h30m" ({endless})',
    "allowed.durations": 'a table of lengths of time such as {{ "mistral:7b" = "1h" }} ({endless})',
    "allowed.endless": "negative: for ever",
    "allowed.never": "0 or negative: never",
    "allowed.length": 'a length of time such as "10m"',
    "allowed.interval": 'a length of time of at least {least} such as "6h", or "off"',
    "allowed.size": 'a size such as "6GB" or "512MiB" (0: no limit)',
    "allowed.rate": 'a rate such as "5MB/s" (0: no limit)',
    "allowed.keys": 'a table of keys such as {{ "app.quit" = "ctrl+q", "list.up" = "up,W" }}',
    "allowed.key": 'a key such as "ctrl+q", or several as in "q,ctrl+q"',
    "allowed.names": 'a list of names such as ["ollama", "anthropic"]',
    "allowed.name_once": "the name of a provider, once in the list",
    "allowed.provider": 'the name of a provider such as "ollama"',
    "allowed.model": 'the name of a model such as "claude-opus-5"',
    "allowed.models": 'a table of models such as {{ anthropic = "claude-opus-5" }}',
    "allowed.urls": 'a table of addresses such as {{ openai = "http://gpu-box:8000/v1" }}',
    "allowed.programs": 'a table of servers such as {{ "notes" = "notes-server", "box" = "http://box/mcp" }}',
    "allowed.program": "a command as it is typed in a shell, or an address that begins with http:// or https://",
    "allowed.file": 'the whole path of a file such as "~/engine.key"',
    "allowed.secret": "a key of at least 16 letters, digits and signs, and in the environment only",
    "allowed.profile": 'a profile such as "cpu", "nvidia_8gb", "amd_16gb" or "apple_m3"',
    "allowed.hosts": (
        'a list of addresses such as "127.0.0.1:11434" and of tables '
        "{{ url, name, allow, api_key_file, kind }}"
    ),
    "allowed.name": "a text of at most {most} characters, all of which can be shown",
    "allowed.url": 'an address such as "https://huggingface.co"',
    "allowed.address": 'an address such as "127.0.0.1:11434"',
    # What it is instead, where that is not written out.
    "value.table": "a table",
    "value.list": "a list",
    "value.endless_number": "a number of thousands of digits",
    # One setting.
    "setting.in_file": "{file} line {line}: {fault}",
    "setting.wrong": "{name} must be {allowed}, not {value}.",
    "setting.wrong_secret": "{name} must be {allowed}.",
    "setting.secret": (
        "{name} is a secret, and files get copied: set it as {variable}, or keep it in a file of its own, "
        "which `llmstack engine key` makes."
    ),
    "setting.unknown": "{name} is not a setting. Known here: {known}.",
    "setting.unknown_key": (
        "{name} is not an action that has a key. Near it are {near}; the settings of the dashboard list all."
    ),
    "setting.key_taken": "{name} has the key {key}, as {others} has: only one of them gets it.",
    "setting.no_section": "{name} must be a section [{name}].",
    "setting.host_twice": "{name} has {url} more than once; the first one counts.",
    "setting.no_address": '{name} must be an address such as "127.0.0.1:11434", and there is none.',
    "setting.wrong_address": "{name} has a wrong address. {why}",
    "setting.wrong_allow": '{name} must be "look" or "act", not {value}: "look" is used.',
}
