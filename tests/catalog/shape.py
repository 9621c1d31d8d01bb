"""What has to be true of the catalogue as a whole."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING

from llmstack_tui.base.names import InvalidName, ModelName
from llmstack_tui.catalog.rules import estimate
from llmstack_tui.core.wording import words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from llmstack_tui.catalog.types import Attention, Catalog, Entry

# What a user who follows the usual advice looks for first.
RECOMMENDED = (
    "qwen2.5-coder:7b",
    "deepseek-coder:6.7b",
    "deepseek-coder-v2:16b",
    "mistral:7b",
    "llama3.1:8b",
    "llama3.2:1b",
    "llama3.2:3b",
    "llama3.3:70b",
    "qwen2.5:0.5b",
    "qwen2.5:7b",
    "qwen3:8b",
    "gemma2:9b",
    "gemma3:1b",
    "gemma3:4b",
    "phi3.5:3.8b",
    "phi4:14b",
    "starcoder2:7b",
    "llava:7b",
    "tinyllama:1.1b",
    "deepseek-r1:7b",
    "deepseek-r1:14b",
    "mixtral:8x7b",
    "command-r:35b",
    "glm4:9b",
    "falcon3:7b",
    "nomic-embed-text",
    "mxbai-embed-large",
    "bge-m3",
    "all-minilm",
    "smollm2:135m",
    # What was pulled most on the day of the list of tags.
    "gemma4:e4b",
    "qwen3.5:9b",
    "qwen3.6:27b",
    "gpt-oss:20b",
    "qwen3-coder:30b",
    "qwen3-vl:8b",
    "glm-ocr",
    "qwen3-embedding:0.6b",
    "embeddinggemma:300m",
    "minimax-m2.7:cloud",
    "glm-5.1:cloud",
)
_SMALLEST, _LARGEST = 10_000_000, 500_000_000_000
_BITS = {"Q4_0": 4, "Q4_K_M": 5, "Q8_0": 8, "F16": 16}
_CONTEXTS = (1024, 4096, 8192, 32768, 131072)
_PARAMETERS = re.compile(r"(?:(\d+)x)?(\d+(?:\.\d+)?)([MBT])")


def faults(catalog: Catalog) -> list[str]:
    """What is wrong, a line each; none if the catalogue is as it should be."""
    names = [entry.name for entry in catalog.entries]
    found = [f"{name} is there twice" for name in sorted(set(names)) if names.count(name) > 1]
    found += [f"{name} is missing" for name in RECOMMENDED if name not in names]
    found += [
        f"the page of {name} has no address" for name, url in catalog.sources.items() if not _is_url(url)
    ]
    for entry in catalog.entries:
        checks = (
            _source_faults(catalog, entry),
            _name_faults(entry),
            _size_faults(entry),
            _shape_faults(entry),
        )
        found += [f"{entry.name}: {fault}" for check in checks for fault in check]
    return found


def _is_url(text: str) -> bool:
    return text.startswith("https://") and " " not in text


def _source_faults(catalog: Catalog, entry: Entry) -> Iterator[str]:
    for source in entry.sources:
        page = catalog.page(source)
        if not _is_url(page) and not re.fullmatch(r"computed: .{10,}", page):
            yield f"{source!r} is no source"


def _name_faults(entry: Entry) -> Iterator[str]:
    tags = [file.tag for file in entry.files] or ([entry.cloud.value] if entry.cloud else [])
    try:
        name = ModelName.parse(entry.name)
        for each in entry.names:
            ModelName.parse(each)
    except InvalidName as error:
        yield words(error)
        return
    if not tags:
        yield "it has neither files nor a tag of the cloud"
    elif tags[0] != name.tag:
        yield f"it stands for {name.tag}, and its first file is {tags[0]}"
    if entry.cloud and not entry.cloud.value.endswith("cloud"):
        yield f"{entry.cloud.value!r} is no tag of the cloud"
    if entry.files and entry.architecture is None:
        yield "it has no architecture"
    if len(set(tags)) != len(tags):
        yield "a tag is there twice"
    if not entry.uses or not 1 <= entry.priority <= 5:
        yield "it has no use or no priority"
    if not 3 < len(entry.good_for) <= 90 or entry.good_for.endswith("."):
        yield "what it is good for is no short phrase"


def _size_faults(entry: Entry) -> Iterator[str]:
    match = _PARAMETERS.fullmatch(entry.size)
    if match is None:
        if entry.files or entry.parameters:
            yield f"{entry.size!r} is no number of parameters"
        return
    parameters = int(match[1] or 1) * float(match[2]) * {"M": 1e6, "B": 1e9, "T": 1e12}[match[3]]
    for file in entry.files:
        bits = file.bytes * 8 / parameters
        if not _SMALLEST < file.bytes < _LARGEST or not 2 < bits < 30:
            yield f"{file.tag} has {file.bytes} bytes, {bits:.1f} bits for each parameter"
    known = [(_BITS[file.quantization], file.bytes) for file in entry.files if file.quantization in _BITS]
    for (_, smaller), (_, larger) in pairwise(sorted(known)):
        if smaller >= larger:
            yield f"more bits in fewer bytes: {smaller} and {larger}"
    if not 256 <= (entry.most_tokens or 0) <= 10_485_760:
        yield f"a context of {entry.most_tokens}"
    for speed in entry.speeds:
        if not 0 < speed.tokens_per_second < 2000:
            yield f"{speed.tokens_per_second} tokens a second"
    for quality in entry.qualities:
        if not 0 < quality.value < 100:
            yield f"{quality.value} percent in {quality.benchmark}"


def _shape_faults(entry: Entry) -> Iterator[str]:
    attention = entry.attention
    if attention is None:
        return
    if not _is_whole(attention):
        yield f"{attention} is half a shape"
    for file in entry.files:
        totals = [known.total for length in _CONTEXTS if (known := estimate(entry, file, length))]
        if any(shorter > longer for shorter, longer in pairwise(totals)) or min(totals) <= file.bytes:
            yield f"the memory of {file.tag} shrinks with the context: {totals}"
        grows = not attention.encoder and entry.reads(4096)
        if grows and totals[0] == totals[1]:
            yield f"the memory of {file.tag} does not grow with the context"


def _is_whole(attention: Attention) -> bool:
    sizes = (attention.layers, attention.kv_heads, attention.key, attention.value)
    windows = (attention.window, attention.window_layers)
    if attention.encoder:
        return not any((*sizes, *windows))
    return (
        all(size > 0 for size in sizes)
        and bool(attention.window) == bool(attention.window_layers)
        and attention.window_layers <= attention.layers
    )
