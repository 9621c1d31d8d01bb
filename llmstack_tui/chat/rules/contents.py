"""What a file is, by its content and never by its name."""

from __future__ import annotations

import codecs

IMAGES = ("image/png", "image/jpeg", "image/gif", "image/webp")
"""What models and services read."""

# The first bytes of kinds of files, by their own specifications; those of images above are at the end.
_BEGINNINGS = (
    (b"PK\x03\x04", "application/zip"),
    (b"PK\x05\x06", "application/zip"),
    (b"%PDF-", "application/pdf"),
    (b"\x1f\x8b", "application/gzip"),
    (b"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"),
    (b"\xfd7zXZ\x00", "application/x-xz"),
    (b"\x28\xb5\x2f\xfd", "application/zstd"),
    (b"BZh", "application/x-bzip2"),
    (b"Rar!", "application/vnd.rar"),
    (b"\x7fELF", "application/x-elf"),
    (b"GGUF", "application/x-gguf"),
    (b"SQLite format 3\x00", "application/x-sqlite3"),
    (b"II*\x00", "image/tiff"),
    (b"MM\x00*", "image/tiff"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
)
_BRANDS = {b"heic": "image/heic", b"heix": "image/heic", b"mif1": "image/heic", b"avif": "image/avif"}
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# No text has these: NUL, and what no terminal or editor writes.
_NO_TEXT = bytes({*range(9), *range(14, 27), 28, 29, 30, 31})


def media_type(content: bytes) -> str:
    """Such as ``image/png``; ``text/plain`` for a text in any encoding."""
    for beginning, kind in _BEGINNINGS:
        if content.startswith(beginning):
            return kind
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    if content[4:8] == b"ftyp":
        return _BRANDS.get(content[8:12], "video/mp4")
    is_text = content.startswith(tuple(bom for bom, _ in _BOMS)) or not content.translate(
        None, bytes(set(range(256)) - set(_NO_TEXT))
    )
    return "text/plain" if is_text else "application/octet-stream"


def decoded(content: bytes) -> str:
    """A text by its byte order mark, else UTF-8, else Windows-1252, which is Latin-1 and some more signs."""
    for bom, encoding in _BOMS:
        if content.startswith(bom):
            return content.decode(encoding, "replace")
    try:
        return content.decode()
    except UnicodeDecodeError:
        return content.decode("cp1252", "replace")
