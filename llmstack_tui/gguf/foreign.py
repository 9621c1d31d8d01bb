"""Other kinds of files that are taken for models, told by how they begin."""

from __future__ import annotations

import codecs

_MAGICS = (
    (b"GGUF", ""),
    (b"PK\x03\x04", "a ZIP or PyTorch file"),
    (b"\x1f\x8b", "a gzip file"),
    (b"\x28\xb5\x2f\xfd", "a Zstandard file"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z file"),
    (b"\x80\x02", "a Python pickle"),
    (b"%PDF", "a PDF file"),
    (b"\x7fELF", "a program"),
    (b"ggjt", "a GGML file from before GGUF"),
    (b"tjgg", "a GGML file from before GGUF"),
    (b"lmgg", "a GGML file from before GGUF"),
    (b"fmgg", "a GGML file from before GGUF"),
    (b"version https://git-lfs", "a Git LFS pointer"),
)


def what_it_is(start: bytes) -> str:
    """What a file that begins with ``start`` is, with its article; empty if it begins as a GGUF file does."""
    for magic, name in _MAGICS:
        if start.startswith(magic):
            return name
    for is_so, name in _TESTS:
        if is_so(start):
            return name
    return "some other file"


def _is_page(start: bytes) -> bool:
    return start.lstrip().lower().startswith((b"<!doctype html", b"<html"))


def _is_safetensors(start: bytes) -> bool:
    # The length of the JSON that follows, in eight bytes.
    return start[8:9] == b"{" and not any(start[4:8])


def _is_zeros(start: bytes) -> bool:
    return not any(start)


def _is_text(start: bytes) -> bool:
    try:
        # ``start`` may end inside a character.
        text = codecs.getincrementaldecoder("utf-8")().decode(start)
    except UnicodeDecodeError:
        return False
    return all(letter.isprintable() or letter.isspace() for letter in text)


_TESTS = (
    (_is_page, "a web page"),
    (_is_safetensors, "a safetensors file"),
    (_is_zeros, "a file of zeros"),
    (_is_text, "a text file"),
)
