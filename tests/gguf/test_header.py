from __future__ import annotations

import math
import os
import socket
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from llmstack_tui.base.structs import replace
from llmstack_tui.core.wording import words
from llmstack_tui.gguf.header import ArrayInfo, InvalidGGUF, read_header
from llmstack_tui.gguf.types import ValueType
from tests.support.gguf import models
from tests.support.gguf.files import (
    ARRAY,
    BOOL,
    F32,
    F64,
    I64,
    STRING,
    U8,
    U16,
    U32,
    U64,
    File,
    Llama,
    array,
    pair,
    string,
    tensor,
)

if TYPE_CHECKING:
    from pathlib import Path

    from llmstack_tui.gguf.header import Header


def read(folder: Path, content: object) -> Header:
    path = folder / "model.gguf"
    path.write_bytes(bytes(content))  # type: ignore[call-overload]
    return read_header(path)


def refusal(folder: Path, content: object) -> tuple[object, ...]:
    """The kind of the error, and the values of its sentence but the path."""
    with pytest.raises(InvalidGGUF) as caught:
        read(folder, content)
    path, *values = caught.value.params.values()
    assert path == str(folder / "model.gguf")
    assert words(caught.value).startswith(f"{path} ")
    return caught.value.kind.removeprefix("gguf."), *values


def test_what_a_model_says(tiny_model: Path) -> None:
    header = read_header(tiny_model)
    assert header.version == 3
    assert header.architecture == "llama"
    assert header.name == "Tiny Scripted"
    assert header.quantization == "F16"
    assert header.context_length == 32_768
    assert header.embedding_length == 320
    assert header.block_count == 1
    assert header.chat_template == models.CHATML
    assert not header.is_embedding
    assert header.file_size == tiny_model.stat().st_size
    assert header.data_offset + header.weights_size <= header.file_size
    assert header.metadata["tokenizer.ggml.tokens"] == ArrayInfo(ValueType.STRING, 297)


def test_it_agrees_with_the_gguf_package(random_model: Path) -> None:
    from gguf import GGUFReader  # noqa: PLC0415 — slow to import, and only here

    header, other = read_header(random_model), GGUFReader(random_model)
    assert header.data_offset == other.data_offset
    assert {(t.name, t.type.name, t.shape, t.offset, t.size, t.elements) for t in header.tensors} == {
        (
            t.name,
            t.tensor_type.name,
            tuple(map(int, t.shape)),
            t.data_offset - other.data_offset,
            int(t.n_bytes),
            int(t.n_elements),
        )
        for t in other.tensors
    }
    for key, value in header.metadata.items():
        if isinstance(value, ArrayInfo):
            assert value.length == len(other.fields[key].contents())
        else:
            assert value == pytest.approx(other.fields[key].contents()), key


@pytest.mark.parametrize("quant", ["Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0"])
def test_sizes_of_quantised_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, quant: str) -> None:
    small = replace(models.SHAPES["smollm2-135m"], layers=1, vocabulary=512, width=64, hidden=64)
    monkeypatch.setitem(models.SHAPES, "small", small)
    header = read_header(models.shaped(tmp_path / "small.gguf", "small", quant))
    assert header.quantization == quant
    assert {tensor.type.name for tensor in header.tensors} == {quant, "F32"}
    last = max(header.tensors, key=lambda tensor: tensor.offset)
    assert (
        header.data_offset + last.offset + last.size
        <= header.file_size
        < header.data_offset + last.offset + last.size + 32
    )


def test_a_large_vocabulary_is_passed_over_quickly(tmp_path: Path) -> None:
    """128,256 tokens and 280,147 merges, as Llama 3 has them; the bar is 50 ms on an idle machine."""
    tokens = string("token12") * 128_256
    merges = string("ab cd") * 280_147
    file = (
        Llama()
        .saying("tokenizer.ggml.tokens", ARRAY, b"\x08\0\0\0" + (128_256).to_bytes(8, "little") + tokens)
        .saying("tokenizer.ggml.merges", ARRAY, b"\x08\0\0\0" + (280_147).to_bytes(8, "little") + merges)
    )
    path = tmp_path / "large.gguf"
    path.write_bytes(bytes(file))
    times = []
    for _ in range(5):
        started = time.process_time()
        read_header(path)
        times.append(time.process_time() - started)
    header = read_header(path)
    assert header.metadata["tokenizer.ggml.merges"] == ArrayInfo(ValueType.STRING, 280_147)
    assert min(times) < 0.15


@pytest.mark.parametrize(
    ("key", "kind", "value", "expected"),
    [
        ("x.bool", BOOL, True, True),
        ("x.byte", U8, 200, 200),
        ("x.big", U64, 2**64 - 1, 2**64 - 1),
        ("x.negative", I64, -5, -5),
        ("x.double", F64, 0.1, 0.1),
        ("x.text", STRING, "naïve ☁", "naïve ☁"),
        ("x.not-utf-8", STRING, b"\x02\0\0\0\0\0\0\0\xff\xfe", "��"),
        ("x.layers", ARRAY, array(U32, [8] * 128), (8,) * 128),
        ("x.flags", ARRAY, array(BOOL, [True, False]), (True, False)),
        ("x.words", ARRAY, array(STRING, ["a", "b"]), ("a", "b")),
        ("x.none", ARRAY, array(U32, []), ()),
        ("x.long", ARRAY, array(F32, [0.0] * 1025), ArrayInfo(ValueType.F32, 1025)),
    ],
)
def test_metadata(tmp_path: Path, key: str, kind: int, value: bytes | float | str, expected: object) -> None:
    header = read(tmp_path, Llama().saying(key, kind, value))
    assert header.metadata[key] == expected
    assert header.architecture == "llama", "what follows is read from the right place"


def test_version_2_is_read(tmp_path: Path) -> None:
    assert read(tmp_path, replace(Llama().file, version=2)).version == 2


@pytest.mark.parametrize(
    ("file_type", "name"), [(0, "F32"), (3, "Q4_1"), (15, "Q4_K_M"), (30, "IQ4_XS"), (9999, "unknown")]
)
def test_quantization(tmp_path: Path, file_type: int, name: str) -> None:
    assert read(tmp_path, Llama().saying("general.file_type", U32, file_type)).quantization == name


def test_an_embedding_model_is_known_by_its_pooling_or_its_architecture(tmp_path: Path) -> None:
    assert not read(tmp_path, Llama()).is_embedding
    assert read(tmp_path, Llama().saying("llama.pooling_type", U32, 1)).is_embedding
    assert read(tmp_path, Llama().saying("general.architecture", STRING, "nomic-bert")).is_embedding


def test_another_alignment(tmp_path: Path) -> None:
    file = File(
        (pair("general.architecture", STRING, "llama"), pair("general.alignment", U32, 64)),
        (tensor("a", (16,), 0, 0), tensor("b", (16,), 0, 64)),
        bytes(128),
        alignment=64,
    )
    header = read(tmp_path, file)
    assert header.data_offset % 64 == 0
    assert [tensor.offset for tensor in header.tensors] == [0, 64]


FOREIGN: dict[bytes, tuple[object, ...]] = {
    b"Once upon a time\n" * 100: ("is_text",),
    "Größe".encode() * 200: ("is_text",),
    b"<!DOCTYPE html><title>Sign in</title>": ("is_page",),
    b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n": ("is_pointer",),
    b"PK\x03\x04" + bytes(600): ("other_format", "ZIP (PyTorch)"),
    b"lmgg" + bytes(600): ("other_format", "GGML"),
    (100).to_bytes(8, "little") + b'{"__metadata__":{}}': ("is_safetensors",),
    bytes(4096): ("is_zeros",),
    bytes(range(256)) * 10: ("is_other",),
    b"GG": ("is_text",),
    b"GGUF": ("cut_in_header",),
    b"": ("empty",),
}


@pytest.mark.parametrize("content", FOREIGN)
def test_other_files(tmp_path: Path, content: bytes) -> None:
    assert refusal(tmp_path, content) == FOREIGN[content]


@pytest.mark.parametrize(
    ("version", "told"),
    [
        (0, ("version", 0)),
        (1, ("version_1",)),
        (4, ("version", 4)),
        (0x03000000, ("big_endian",)),
        (0x02000000, ("big_endian",)),
    ],
)
def test_other_versions(tmp_path: Path, version: int, told: tuple[object, ...]) -> None:
    assert refusal(tmp_path, replace(Llama().file, version=version)) == told


def test_what_is_no_file(tmp_path: Path) -> None:
    pipe, link, server = tmp_path / "pipe", tmp_path / "link", tmp_path / "socket"
    os.mkfifo(pipe)
    link.symlink_to(tmp_path / "nowhere")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(server))
        for path, kind in (
            (tmp_path / "missing.gguf", "missing"),
            (tmp_path, "folder"),
            (pipe, "device"),
            (server, "unreadable"),
            (link, "missing"),
            (type(tmp_path)("/dev/zero"), "device"),
            (tmp_path / "a\0b", "bad_path"),
            (tmp_path / ("a" * 300), "unreadable"),
        ):
            with pytest.raises(InvalidGGUF) as caught:
                read_header(path)
            assert (caught.value.kind, caught.value.params["path"]) == (f"gguf.{kind}", str(path))


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read(tmp_path: Path) -> None:
    path = tmp_path / "secret.gguf"
    path.write_bytes(bytes(Llama()))
    path.chmod(0)
    with pytest.raises(InvalidGGUF) as caught:
        read_header(path)
    assert caught.value.params == {"path": str(path), "why": "Permission denied"}


LLAMA = Llama().file
CUT, TOO_LARGE = ("cut_in_header",), ("too_large",)


def broken(fault: str, at: str) -> tuple[object, ...]:
    return "broken", fault, at


LIES: dict[str, tuple[File, tuple[object, ...]]] = {
    "pairs": (replace(LLAMA, pair_count=2**32), TOO_LARGE),
    "pairs-63": (replace(LLAMA, pair_count=2**63), TOO_LARGE),
    "a pair more": (replace(LLAMA, pair_count=len(LLAMA.pairs) + 1), CUT),
    "tensors": (replace(LLAMA, tensor_count=2**32), TOO_LARGE),
    "tensors-64": (replace(LLAMA, tensor_count=2**64 - 1), TOO_LARGE),
    "a tensor more": (replace(LLAMA, tensor_count=3), ("cut_in_tensors", 32)),
    "key": (File((string("x", 2**63),)), CUT),
    "key-62": (File((string("x", 2**62),), data=bytes(999)), CUT),
    "empty key": (File((pair("", U8, 1),)), broken("key length", "")),
    "long key": (File((pair("k" * 70_000, U8, 1),)), broken("key length", "k" * 70_000)),
    "twice": (File((pair("a.b", U8, 1), pair("a.b", U8, 1))), broken("key twice", "a.b")),
    "text": (File((pair("a", STRING, string("x", 2**40)),)), CUT),
    "type": (File((pair("a", 13, b"\0"),)), broken("type of value", "a")),
    "array type": (File((pair("a", ARRAY, array(13, [], 1)),)), broken("type of value", "a")),
    "nested": (
        File((pair("a", ARRAY, array(ARRAY, [], 1)),)),
        broken("type of value", "a"),
    ),
    "array": (
        File((pair("a", ARRAY, array(U8, [], 2**63)),)),
        CUT,
    ),
    "array-32": (File((pair("a", ARRAY, array(U32, [], 2**32)),), data=bytes(99)), CUT),
    "words": (File((pair("a", ARRAY, array(STRING, [], 2**32)),), data=bytes(99)), CUT),
    "word": (
        File((pair("a", ARRAY, array(STRING, [], 65) + string("x", 2**64 - 1) + bytes(64 * 8)),)),
        CUT,
    ),
    "last word": (
        File((pair("a", ARRAY, array(STRING, [], 65) + bytes(64 * 8) + string("", 99)),)),
        CUT,
    ),
    "split": (File((pair("split.count", U16, 3),)), ("split", 3)),
    "alignment 0": (File((pair("general.alignment", U32, 0),)), broken("alignment", "0")),
    "alignment 48": (File((pair("general.alignment", U32, 48),)), broken("alignment", "48")),
    "alignment text": (File((pair("general.alignment", STRING, "32"),)), broken("alignment", "32")),
    "alignment large": (
        File((pair("general.alignment", U32, 2**31),), (tensor("a", (8,)),), bytes(32)),
        ("cut_in_tensors", 2**31 - 96),
    ),
    "dimensions": (File((), (tensor("a", (1,) * 5),), bytes(32)), broken("dimensions", "a")),
    "dimensions-32": (File((), (tensor("a", (1,), dimensions=2**32 - 1),)), broken("dimensions", "a")),
    "no elements": (File((), (tensor("a", (8, 0)),), bytes(32)), broken("no elements", "a")),
    "overflow": (File((), (tensor("a", (2**32, 2**32)),), bytes(32)), ("cut_in_tensors", 4 * 2**64 - 32)),
    "huge": (File((), (tensor("a", (2**61,)),), bytes(32)), ("cut_in_tensors", 4 * 2**61 - 32)),
    "tensor type": (File((), (tensor("a", (8,), 4),), bytes(32)), ("tensor_type", 4)),
    "rows": (
        File((), (tensor("a", (33,), 2),), bytes(99)),
        broken("rows", "a"),
    ),
    "tensor name": (File((), (tensor("a" * 64, (8,)),), bytes(32)), broken("tensor name", "a" * 64)),
    "tensor twice": (
        File((), (tensor("a", (8,)), tensor("a", (8,), 0, 32)), bytes(64)),
        broken("tensor twice", "a"),
    ),
    "unaligned": (File((), (tensor("a", (8,), 0, 4),), bytes(64)), broken("offset", "a")),
    "outside": (
        File((), (tensor("a", (8,), 0, 64),), bytes(64)),
        ("cut_in_tensors", 32),
    ),
    "far outside": (File((), (tensor("a", (8,), 0, 2**64 - 32),), bytes(64)), ("cut_in_tensors", 2**64 - 64)),
    "overlap": (
        File((), (tensor("a", (16,)), tensor("b", (8,), 0, 32)), bytes(64)),
        broken("overlap", "b"),
    ),
}


@pytest.mark.parametrize("lie", LIES)
def test_lies(tmp_path: Path, lie: str) -> None:
    file, told = LIES[lie]
    started = time.monotonic()
    assert refusal(tmp_path, file) == told
    assert time.monotonic() - started < 2


def test_a_key_that_is_no_line_of_text_does_not_break_the_sentence(tmp_path: Path) -> None:
    with pytest.raises(InvalidGGUF) as caught:
        read(tmp_path, File((pair("a\n\x1b[31m" + "b" * 500, ARRAY, array(ARRAY, [], 1)),)))
    sentence = words(caught.value)
    assert sentence.isprintable()
    assert len(sentence) < 250


def test_every_cut_is_seen(tmp_path: Path) -> None:
    whole = bytes(Llama())
    for end in range(5, len(whole)):
        assert refusal(tmp_path, whole[:end])[0] in ("cut_in_header", "cut_in_tensors"), end


def test_a_great_lie_takes_no_memory_and_no_time(tmp_path: Path) -> None:
    """A sparse file of 64 GiB whose first key is as long as the file: nothing near that may be read."""
    path = tmp_path / "sparse.gguf"
    for text in (
        string("x", 2**35),
        string("a") + b"\x09\0\0\0\x08\0\0\0" + (2**32 - 1).to_bytes(8, "little"),
    ):
        path.write_bytes(bytes(File((text,))))
        os.truncate(path, 2**36)
        program = (
            "import pathlib, psutil, sys; from llmstack_tui.gguf.header import read_header\n"
            "before = psutil.Process().memory_info().rss\n"
            "try: read_header(pathlib.Path(sys.argv[1]))\n"
            "except ValueError as error:\n"
            "    print((psutil.Process().memory_info().rss - before) // 2**20, error)\n"
        )
        answer = subprocess.run(
            [sys.executable, "-c", program, path], capture_output=True, text=True, check=True, timeout=60
        )
        megabytes, _, sentence = answer.stdout.partition(" ")
        assert int(megabytes) < 200
        assert "gguf.too_large" in sentence


def test_a_file_that_shrinks_while_it_is_read(tmp_path: Path) -> None:
    from llmstack_tui.gguf.parsing import parse  # noqa: PLC0415
    from llmstack_tui.gguf.source import Source, open_regular  # noqa: PLC0415

    path = tmp_path / "model.gguf"
    path.write_bytes(bytes(Llama()))
    with open_regular(path) as (file, size):
        os.truncate(path, 100)
        with pytest.raises(InvalidGGUF, match="cut_in_header"):
            parse(Source(file, size, path))


WHOLE = bytes(Llama().saying("x.eps", F32, math.nan))


@settings(max_examples=400, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    edits=st.lists(
        st.tuples(st.integers(0, len(WHOLE) - 1), st.binary(min_size=1, max_size=8)), min_size=1, max_size=6
    ),
    cut=st.none() | st.integers(0, len(WHOLE)),
)
def test_mutated_bytes_raise_nothing_else(
    tmp_path: Path, edits: list[tuple[int, bytes]], cut: int | None
) -> None:
    content = bytearray(WHOLE)
    for at, change in edits:
        content[at : at + len(change)] = change
    path = tmp_path / "mutated.gguf"
    path.write_bytes(content[:cut])
    try:
        header = read_header(path)
    except InvalidGGUF as error:
        assert words(error).endswith(".")  # noqa: PT017 — most mutations raise, some do not
    else:
        # Every property has an answer, whatever the values are.
        assert header.weights_size <= header.file_size
        assert isinstance(header.quantization, str)
        assert isinstance(header.is_embedding, bool)
        assert header.context_length is None or isinstance(header.context_length, int)
        assert header.parameter_count >= 0
