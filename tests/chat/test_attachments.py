"""Files that a question names: what they are, and where they may be."""

from __future__ import annotations

import io
import os
import zipfile
from typing import TYPE_CHECKING

import pytest

from llmstack_tui.chat import attachments
from llmstack_tui.chat.attachments import NotAttached, attached, completions, made, read
from llmstack_tui.chat.rules.contents import decoded, media_type
from llmstack_tui.core.wording import words

if TYPE_CHECKING:
    from pathlib import Path

PNG = b"\x89PNG\r\n\x1a\n rest"


def zipped() -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("a", "b")
    return made.getvalue()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    opened = tmp_path / "project"
    (opened / "docs" / "deep" / "deeper").mkdir(parents=True)
    (opened / "docs" / "notes.md").write_text("Notes")
    (opened / "docs" / "deep" / "deeper" / "last.md").write_text("x")
    (opened / ".hidden").write_text("secret")
    (opened / "my file.txt").write_text("Mine")
    (opened / "photo.jpg").write_bytes(PNG)
    (tmp_path / "outside.txt").write_text("secret")
    (opened / "link.txt").symlink_to(tmp_path / "outside.txt")
    (opened / "loop").symlink_to("loop")
    return opened


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (PNG, "image/png"),
        (b"\xff\xd8\xff\xe0", "image/jpeg"),
        (b"GIF89a", "image/gif"),
        (b"RIFF\x00\x00\x00\x00WEBPVP8 ", "image/webp"),
        (b"\x00\x00\x00\x18ftypheic", "image/heic"),
        (zipped(), "application/zip"),
        (b"%PDF-1.7", "application/pdf"),
        (b"GGUF\x03", "application/x-gguf"),
        (b"", "text/plain"),
        ("Añil".encode("latin-1"), "text/plain"),
        ("Añil".encode("utf-16"), "text/plain"),
        (b"a\x00b", "application/octet-stream"),
        (b"<svg xmlns='x'/>", "text/plain"),
    ],
)
def test_a_file_is_what_its_content_says(content: bytes, kind: str) -> None:
    assert media_type(content) == kind


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32", "latin-1", "cp1252"])
def test_a_text_is_read_in_any_usual_encoding(encoding: str) -> None:
    assert decoded("¿Qué añil? «ß»".encode(encoding)) == "¿Qué añil? «ß»"
    assert decoded(b"\x81") == "\N{REPLACEMENT CHARACTER}"


def test_a_question_names_its_files(folder: Path) -> None:
    files = attached(
        'Compare @docs/notes.md, @"my file.txt" and @photo.jpg. Ask me@example.org or @nobody; '
        "@property def f(): ... @docs/notes.md",
        folder,
    )
    assert [(each.attachment.name, each.attachment.media_type, each.content) for each in files] == [
        ("docs/notes.md", "text/plain", b"Notes"),
        ("my file.txt", "text/plain", b"Mine"),
        ("photo.jpg", "image/png", PNG),
    ]


def test_a_folder_is_a_list_of_what_is_in_it(folder: Path) -> None:
    [listed] = attached("@.", folder)
    assert listed.content.decode().splitlines() == [
        "docs/", "  deep/", "    deeper/", "  notes.md  5 B", "my file.txt  4 B", "photo.jpg  13 B",
    ]  # fmt: skip


def test_a_huge_folder_is_not_listed_whole(folder: Path) -> None:
    for number in range(600):
        (folder / "docs" / f"{number:03}").touch()
    [listed] = attached("@docs/", folder)
    assert len(listed.content.decode().splitlines()) == 501
    assert listed.content.decode().endswith("\n…")


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("@../outside.txt", "chat.outside"),
        ("@/etc/passwd", "chat.outside"),
        ("@link.txt", "chat.outside"),
        ("@loop", "chat.unreadable"),
        ("@docs/none.md", "chat.no_file"),
        ('@"none"', "chat.no_file"),
        ("@pipe", "chat.no_regular_file"),
        ("@false.png", "chat.no_image"),
        ("@text.png", "chat.no_image"),
        ("@a.zip", "chat.no_text"),
        ("@large", "chat.too_large"),
        ("@huge", "chat.too_large"),
    ],
)
def test_what_cannot_be_sent_is_said_in_one_sentence(folder: Path, path: str, kind: str) -> None:
    os.mkfifo(folder / "pipe")
    (folder / "false.png").write_bytes(zipped())
    (folder / "text.png").write_text("a text")
    (folder / "a.zip").write_bytes(zipped())
    (folder / "large").write_bytes(b"x" * (attachments.MOST_TEXT_BYTES + 1))
    with (folder / "huge").open("wb") as file:
        file.truncate(100_000_000_000)
    with pytest.raises(NotAttached) as error:
        attached(f"See {path}", folder)
    assert error.value.kind == kind
    assert path.strip('@"') in words(error.value)


def test_a_file_that_is_named_itself_may_be_anywhere(folder: Path) -> None:
    assert read(str(folder.parent / "outside.txt"), None).content == b"secret"
    with pytest.raises(NotAttached):
        read("nul\0", folder)


def test_too_many_files_are_refused(folder: Path) -> None:
    for number in range(21):
        (folder / f"f{number}").touch()
    with pytest.raises(NotAttached) as error:
        attached(" ".join(f"@f{number}" for number in range(21)), folder)
    assert error.value.kind == "chat.too_many_files"


def test_a_pasted_text_is_kept_as_utf_8() -> None:
    file = made("pasted", "Añil".encode("latin-1"))
    assert (file.content.decode(), file.attachment.size_bytes) == ("Añil", 5)


def test_paths_are_completed_within_the_folder(folder: Path) -> None:
    assert completions("", folder) == ("docs/", "link.txt", "loop", "my file.txt", "photo.jpg")
    assert completions("docs/N", folder) == ("docs/notes.md",)
    assert completions("../", folder) == completions("none/", folder) == ()
    assert completions(".h", folder) == (".hidden",)
