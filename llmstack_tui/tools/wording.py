"""The sentences about tools. A model reads them, too: each says what else could be done."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from llmstack_tui.base.sentences import Catalogue

SENTENCES: Catalogue = {
    # A call that is not understood.
    "tools.unknown": "There is no tool {tool:quoted}. These are there: {known}.",
    "tools.no_json": "The arguments of {tool} are no JSON object: {written}",
    "tools.wrong_arguments": "The arguments of {tool} do not fit its schema: {where} {why}",
    "tools.no_schema": "The schema of the tool {tool} is no JSON schema: {why}",
    "tools.refused": "The user does not want this call. Ask what they want instead.",
    # Files.
    "tools.outside": "{path:quoted} is not in the opened folder {folder}: only what is in it may be used.",
    "tools.no_path": "{path:quoted} is no path.",
    "tools.not_there": "There is no {path:quoted} in the opened folder.",
    "tools.no_file": "{path:quoted} is a folder or a device, no file.",
    "tools.no_folder": "{path:quoted} is no folder.",
    "tools.unreadable": "{path:quoted} cannot be read: {why}.",
    "tools.not_text": "{path:quoted} is no text file.",
    "tools.too_large": "{path:quoted} has more than {limit:size}: read another file.",
    "tools.no_line": "{path:quoted} has {count} lines, and none with the number {line}.",
    "tools.same_text": "{path:quoted} has this text already: nothing was written.",
    "tools.nothing_to_find": "There is nothing to find: give a text.",
    "tools.no_pattern": "{pattern:quoted} is no pattern of file names: use one such as *.py.",
    # Pages.
    "tools.no_url": "{url:quoted} is no address of a web page: it begins with https:// or http://.",
    "tools.no_host": "The host {host} was not found: {why}.",
    "tools.private_address": "{host} is this machine or in a private network: such a page is never fetched.",
    "tools.leads_elsewhere": "{url} leads to another host: fetch {target}, if that is the right one.",
    "tools.less_safe": "{url} leads to an address without TLS: {target}.",
    "tools.redirects": "{url} leads from one address to the next, without an end.",
    "tools.page_late": "{url} has not answered within {limit_s:g} s.",
    "tools.no_page": "{url} cannot be fetched: {why}",
    "tools.page_status": "{url} answers with status {status}.",
    "tools.no_text_page": "{url} is no text: its type is {kind}.",
    # Others.
    "tools.no_number": "This cannot be calculated: {why}.",
    "tools.no_timezone": "{name:quoted} is no time zone: use one such as Europe/Madrid.",
    "tools.no_command": "There is no command.",
    # MCP servers.
    "mcp.missing": "MCP needs an extra package. Install it with: pip install 'llmstack-tui[mcp]'",
    "mcp.no_server": "The MCP server {name} cannot be used: {why}",
    "mcp.silent": "The MCP server {name} has not answered within {limit_s:g} s.",
    "mcp.gone": "The MCP server {name} has ended: {why}",
}
