"""A server of the official package, which the tests start: it has tools that answer, fail and hang."""

from __future__ import annotations

import os
import sys

from mcp.server.mcpserver import MCPServer

server = MCPServer("things")


@server.tool()
def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


@server.tool()
def key() -> str:
    """What this program knows of the user's keys."""
    return os.environ.get("OPENAI_API_KEY", "none") + os.environ.get("THINGS", "")


@server.tool()
def fail() -> str:
    """Fail."""
    raise ValueError


@server.tool()
def paint() -> str:
    """Answer in colours."""
    return "\x1b[31mred"


@server.tool()
def leave() -> str:
    """End the program."""
    os._exit(3)


if __name__ == "__main__":
    if sys.argv[1:] == ["--dies"]:
        print("first line", file=sys.stderr)
        sys.exit("cannot open /var/things: no such file")
    if sys.argv[1:] == ["--hangs"]:
        sys.stdin.read()
    server.run()
