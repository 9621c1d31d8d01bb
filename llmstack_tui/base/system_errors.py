"""What the operating system says of an error, in the language of the screen.

The words are those of ``os.strerror``, of which glibc and Apple share most, and in lower case those that
Ollama, a Go program, passes on. As data and in logs they stay as they are.
"""

from __future__ import annotations

from llmstack_tui.base.languages import later, tr

_KNOWN = frozenset(
    {
        later("Operation not permitted"),
        later("No such file or directory"),
        later("Input/output error"),
        later("Permission denied"),
        later("File exists"),
        later("Not a directory"),
        later("Is a directory"),
        later("Too many open files"),
        later("File too large"),
        later("No space left on device"),
        later("Read-only file system"),
        later("File name too long"),
        later("Too many levels of symbolic links"),
        later("Disk quota exceeded"),
        later("Connection refused"),
        later("Connection reset by peer"),
        later("Connection timed out"),
        later("Broken pipe"),
        later("Network is unreachable"),
        later("No route to host"),
        later("Host is down"),
        later("Address already in use"),
        later("Cannot assign requested address"),
        later("Name or service not known"),
        later("Temporary failure in name resolution"),
        later("No address associated with hostname"),
        later("connection refused"),
        later("network is unreachable"),
        later("no route to host"),
    }
)


def system_words(text: str) -> str:
    """The text in the language of the screen, if it is one of the system's; else as it is."""
    return tr(text) if text in _KNOWN else text
