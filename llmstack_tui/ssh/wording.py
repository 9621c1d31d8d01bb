"""Why a server cannot be reached through SSH, in words: one sentence for each kind."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from llmstack_tui.base.sentences import Catalogue

SENTENCES: Catalogue = {
    "ssh.not_installed": (
        "{box} is reached through SSH, for which a part is missing. Install it with: "
        "pip install 'llmstack-tui[ssh]'"
    ),
    "ssh.unknown_key": (
        "The key of {box} is not known, and is not trusted unseen. Connect once with `{command}`, and "
        "compare the fingerprint: {fingerprint}."
    ),
    "ssh.changed_key": (
        "{box} has another key than before: it was set up anew, or something else answers in its place. "
        "Nothing was sent. If it was set up anew, `{command}` says how to forget the old key."
    ),
    "ssh.bad_key": (
        "The key of {box}, or of a machine on the way to it, is not trusted: {why}. Try `{command}`."
    ),
    "ssh.wants_password": (
        "{box} asks for a password, which llmstack does not send. Use a key: `ssh-copy-id` installs one "
        "there, and `ssh-add` hands one with a passphrase to the agent. It is tried again every "
        "{pause_s:duration}."
    ),
    "ssh.denied": (
        "{box} accepts none of your keys. Try `{command}`; `ssh-add` hands a key with a passphrase to the "
        "agent. It is tried again every {pause_s:duration}."
    ),
    "ssh.bad_settings": "Your SSH settings cannot be used: {why}.",
    "ssh.bad_file": "A file that your SSH settings name, such as a key, cannot be read. Try `{command}`.",
    "ssh.no_name": (
        "No machine is called {machine}: check the name, or give it a HostName in ~/.ssh/config ({why})."
    ),
    "ssh.refused": "Nothing listens for SSH at {box}: check that it is on, and the port.",
    "ssh.silent": "{box} did not answer to SSH in time: check that it is on, and the address.",
    "ssh.not_reached": "{box} cannot be reached through SSH: {why}.",
    "ssh.failed": "The SSH connection to {box} failed: {why}. Try `{command}`.",
    "ssh.lost": "The SSH connection to {box} broke. The next request makes it again.",
    "ssh.no_server": "{box} answers, but nothing there listens at {server}: start the server there.",
    "ssh.forbidden": (
        "{box} does not let SSH pass on a connection to {server}: its administrator can allow it "
        "(AllowTcpForwarding)."
    ),
}
