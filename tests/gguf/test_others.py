"""GGUF files that are no language models are told by what they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from llmstack_tui.base.sentences import Sentence
from llmstack_tui.gguf.checks import check_loadable
from llmstack_tui.gguf.header import InvalidGGUF, read_header
from llmstack_tui.gguf.others import adapter_fault, other_kind
from tests.support.failures import kinds
from tests.support.gguf import models
from tests.support.gguf.files import BOOL, STRING, Llama

if TYPE_CHECKING:
    from pathlib import Path

    from llmstack_tui.gguf.header import Header

WEIGHTS = (4, 4)


def header(folder: Path, model: Llama) -> Header:
    path = folder / "model.gguf"
    path.write_bytes(bytes(model))
    return read_header(path)


def of(architecture: str, *tensors: str) -> Llama:
    named = tuple((name, WEIGHTS) for name in tensors)
    return Llama(tensors=named).saying("general.architecture", STRING, architecture)


@pytest.mark.parametrize(
    ("model", "kind"),
    [
        (of("flux", "double_blocks.0.img_attn.qkv.weight"), "gguf.image"),
        (of("sdxl", "input_blocks.0.0.weight"), "gguf.image"),
        (of("", "model.diffusion_model.out.2.weight", "first_stage_model.a"), "gguf.image"),
        (of("", "first_stage_model.decoder.conv_in.weight"), "gguf.image_part"),
        (of("clip", "v.patch_embd.weight").saying("clip.has_vision_encoder", BOOL, True), "gguf.projector"),
        (of("clip", "v.patch_embd.weight").saying("clip.has_text_encoder", BOOL, True), "gguf.text_encoder"),
        (
            of("clip", "v.a")
            .saying("clip.has_text_encoder", BOOL, True)
            .saying("clip.has_vision_encoder", BOOL, True),
            "gguf.projector",
        ),
        (of("llama", "v.a").saying("general.type", STRING, "mmproj"), "gguf.projector"),
        (of("llama", "a").saying("general.type", STRING, "adapter"), "gguf.adapter"),
        (of("llama", "blk.0.attn_q.weight.lora_a"), "gguf.adapter"),
        (of("controlvector", "direction.1"), "gguf.control_vector"),
        (of("whisper", "a"), "gguf.sound"),
        (of("llama"), "gguf.vocabulary"),
        (of("llama", "token_embd.weight").saying("general.type", STRING, "vocab"), "gguf.vocabulary"),
    ],
)
def test_what_it_is(tmp_path: Path, model: Llama, kind: str) -> None:
    found = header(tmp_path, model)
    assert other_kind(found) == kind
    assert check_loadable(found) == Sentence(kind)


def test_language_models(tmp_path: Path, tiny_model: Path, random_model: Path) -> None:
    assert other_kind(header(tmp_path, Llama())) is None
    assert other_kind(read_header(tiny_model)) is None
    assert other_kind(read_header(random_model)) is None


def test_an_image_model_with_longer_names_than_llama_cpp_takes(tmp_path: Path) -> None:
    name = "model.diffusion_model.input_blocks.1.1.transformer_blocks.0.attn1.to_q.weight"
    with pytest.raises(InvalidGGUF) as caught:
        header(tmp_path, of("", name))
    assert kinds(caught.value) == ["gguf.image_tensors"]


def test_an_adapter_that_fits(tmp_path: Path, tiny_model: Path) -> None:
    adapter = read_header(models.adapter(tmp_path / "a.gguf"))
    assert adapter_fault(adapter, read_header(tiny_model)) is None


def test_adapters_that_do_not_fit(tmp_path: Path, tiny_model: Path, random_model: Path) -> None:
    base = read_header(tiny_model)
    other = read_header(models.adapter(tmp_path / "o.gguf", architecture="qwen2"))
    assert adapter_fault(other, base) == Sentence("gguf.adapter_of_other", {"for_": "qwen2", "base": "llama"})
    missing = read_header(models.adapter(tmp_path / "m.gguf", tensor="blk.7.attn_q.weight"))
    assert adapter_fault(missing, base) == Sentence("gguf.adapter_misfit", {"tensor": "blk.7.attn_q.weight"})
    adapter = read_header(models.adapter(tmp_path / "a.gguf"))
    fault = adapter_fault(adapter, read_header(random_model))
    assert fault == Sentence("gguf.adapter_misfit", {"tensor": "output.weight"})
    assert adapter_fault(base, base) == Sentence("gguf.no_adapter")
    assert adapter_fault(header(tmp_path, of("flux", "a")), base) == Sentence("gguf.image")
