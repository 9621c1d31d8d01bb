"""What installations say: one sentence for each step, note, way back and failure."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from llmstack_tui.base.sentences import Catalogue

SENTENCES: Catalogue = {
    # Steps.
    "install.download": "Download {name}: {size:size}.",
    "install.download_unsized": "Download {name}.",
    "install.unpack": "Unpack it into {folder}.",
    "install.use": "Use version {version} from now on.",
    "install.command": "Make `ollama` a command of yours: {file}.",
    "install.stop": "End the Ollama that runs now.",
    "install.stop_service": "End the service.",
    "install.start": "Start Ollama at {url}.",
    "install.start_service": "Run the service.",
    "install.write_unit": "Write a service for you alone.",
    "install.read_units": "Have systemd read it.",
    "install.enable": "Have it run now and whenever you log in.",
    "install.wait": "Wait until Ollama answers at {url}.",
    "install.write_script": "Save the script that you see here.",
    "install.run_script": "Run it.",
    "install.run_script_with_sudo": "Run it; it asks for your password in the terminal, by sudo.",
    "install.brew": "Have Homebrew install Ollama.",
    "install.brew_service": "Have it run now and whenever you log in.",
    "install.set_aside": "Set the present {file} aside.",
    "install.move_app": "Put the app into place: {file}.",
    "install.open_app": "Open it.",
    "install.remove": "Remove {file}.",
    "install.add_engine": "Install the packages of the built-in engine into the environment of llmstack.",
    "install.start_engine": "Start the built-in engine. It stays when llmstack ends.",
    # Notes.
    "install.script_checked": "Its checksum is the one that is published with version {version}.",
    "install.script_unchecked": "No checksum is published for this script: read it before you run it.",
    "install.script_replaces": (
        "It removes the present version before it downloads the new one: if it is cut off, run it again."
    ),
    "install.brew_version": "Homebrew decides which version it is.",
    "install.while_logged_in": (
        "The service runs while you are logged in; `loginctl enable-linger` keeps it after that."
    ),
    "install.own_process": (
        "There is no systemd for you here: Ollama runs as a process that stays until the machine restarts."
    ),
    "install.not_started": "Another server answers at {url}: end it before you run this one.",
    "install.open_again": "Open llmstack again afterwards.",
    "install.models_stay": "Models stay where they are.",
    # The way back.
    "install.back_version": "`llmstack install ollama --rollback` goes back to {version}.",
    "install.back_archive": "`llmstack install ollama --remove {version}` takes all of it away.",
    "install.back_script": (
        "`sudo systemctl disable --now ollama`, then remove /etc/systemd/system/ollama.service, "
        "/usr/local/bin/ollama and /usr/local/lib/ollama."
    ),
    "install.back_brew": "`brew services stop ollama`, then `brew uninstall ollama`.",
    "install.back_app": "Quit Ollama, and move /Applications/Ollama.app to the bin.",
    "install.back_engine": "`llmstack engine stop`",
    # Why it cannot be done now.
    "install.no_zstd": (
        "The archive is packed with zstd, which is missing: install it (`sudo apt install zstd`, `sudo dnf "
        "install zstd`)."
    ),
    "install.too_little_disk": "{needed:size} of disk are needed, and {free:size} are free in {folder}.",
    "install.not_writable": "Nothing can be written into {folder}: {why}",
    "install.no_build": "There is no Ollama for this processor.",
    "install.no_file": "This version has no file for this machine: choose another one.",
    "install.is_current": "Version {version} is in use already.",
    "install.by_pipx": (
        "The system's own Python takes no packages: install llmstack with `pipx install '{what}'` instead."
    ),
    # What failed.
    "install.no_version": "{text:quoted} is not a version: they look like 0.33.0.",
    "install.is_held": "Version {version} is held: `llmstack install ollama --unhold` releases it.",
    "install.not_kept": "Version {version} is not on this machine: see `llmstack install --list`.",
    "install.no_previous": "No version was in use before this one.",
    "install.needs_sudo": (
        "Version {version} was installed by the script, which only root can run, and there is no sudo here."
    ),
    "install.no_versions": "{host} does not say which versions there are: name one with --version.",
    "install.no_release": "{host} has no such version, or no such file of it.",
    "install.no_checksums": "{host} has no checksums of version {version}: nothing is installed unchecked.",
    "install.status": "{host} does not hand it out now (status {status}): try again later.",
    "install.too_long": "{host} sends more than this can be.",
    "install.web_page": "{host} sends a page instead of the file: a proxy or a login may be in between.",
    "install.no_script": "{host} sends something that is no script: a proxy or a login may be in between.",
    "install.wrong_checksum": (
        "{name} from {host} is not what was published: its checksum is another. It was removed, and nothing "
        "was changed."
    ),
    "install.cut": "the connection broke before the end.",
    "install.broke_off": "{name} could not be downloaded: {why} The next try goes on from there.",
    "install.damaged": "{name} is damaged and cannot be unpacked. Nothing was changed.",
    "install.no_program": "There is no bin/ollama in {name}. Nothing was changed.",
    "install.member_outside": (
        "The archive has {member:quoted}, which leads out of its folder. Nothing was changed."
    ),
    "install.member_device": "The archive has {member:quoted}, which is no file. Nothing was changed.",
    "install.too_much": "The archive unpacks to far more than Ollama is. Nothing was changed.",
    "install.busy": "Another llmstack installs something now: try again when it is done.",
    "install.not_done": "It could not be done: {why} What had been done is undone.",
    "install.not_up": "Ollama did not answer at {url} within {seconds:g} s.",
}
