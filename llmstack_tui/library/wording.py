"""The sentences about models on the disk."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmstack_tui.base.wording import Wording

if TYPE_CHECKING:
    from llmstack_tui.base.sentences import Catalogue

SENTENCES: Catalogue = {
    "library.cancelled": "It was cancelled.",
    # What was tried. {why} is one of the causes below.
    "library.not_imported": "{source} cannot be imported into {models}: {why}",
    "library.not_made": "{model} cannot be made from {source}: {why}",
    "library.not_copied": "{source} cannot be copied to {folder}: {why}",
    "library.not_written": "The model {model} cannot be written: {why}",
    "library.not_removed": "The model {model} cannot be removed: {why}",
    "library.not_writable": "The models folder {models} cannot be written: {why}",
    "library.folder_unreadable": "The models folder {models} cannot be read: {why}",
    "library.file_not_read": "{path} cannot be read: {why}",
    "library.file_not_removed": "{path} cannot be removed: {why}",
    # Causes.
    "library.disk_full": "the disk is full.",
    "library.file_too_large": "the disk takes no file that is so large.",
    "library.disk_read_only": "the disk is read-only.",
    "library.not_permitted": "it is not permitted.",
    "library.system": "{why}.",
    # Changes to the folder.
    "library.busy": "Another import or removal in {models} is not done yet: try again later.",
    "library.pull_under_way": (
        "A download into {models} is under way: clean up when it is done, or cancel it first."
    ),
    "library.not_loadable": "{source} cannot be imported: {why}",
    "library.no_room": "{source} needs {need:size} in {folder}, where {free:size} are free.",
    "library.no_room_to_send": "There is no room for the file in {folder}, where {free:size} are free.",
    # In Ollama's words, as its clients expect them.
    "library.digest_mismatch": 'digest mismatch, expected "{expected}", got "{found}"',
    "library.no_blob": 'blob "{digest}" not found: send it first',
    "library.unknown_type": "unknown type",
    "library.not_gguf": "supplied file was not in GGUF format: {why}",
    "library.many_adapters": "only one adapter is currently supported",
    "library.safetensors": (
        "{source} is no GGUF file, and the built-in engine converts nothing: convert it first, or use Ollama."
    ),
    "library.many_files": "{count:,} files are more than a model has.",
    "library.many_models": "{sources} are {count} models: a model is made of one.",
    "library.changed": "{source} changed while it was read: try again when it is complete.",
    "library.not_unreadable": (
        "{path} is not among the files that `llmstack disk` lists as unreadable. Models are removed by name."
    ),
    "library.damaged": "{path} is damaged: its content is not what its name says.",
    "library.source_gone": "The model {source} was removed meanwhile, or its files are broken.",
    "library.not_installed": "The model {model} is not installed.",
    "library.unusable": "The model {model} cannot be used. {why}",
    "library.ollamas": "The model {model} is Ollama's: remove it there.",
    # Why a model cannot be used.
    "library.no_layers": "It has no weights: a model that runs in the cloud needs Ollama.",
    "library.no_weights": "It has no weights that the built-in engine runs, only {kinds}: it needs Ollama.",
    "library.cloud": "It runs in the cloud, which needs Ollama.",
    "library.other_format": "Its weights are {format}, not GGUF: it needs Ollama.",
    "library.no_config": "The manifest has no config.",
    "library.no_digest": "{digest!r} is no sha256 digest.",
    "library.bad_manifest": "The manifest is not as Ollama writes it: {why}.",
    "library.manifest_not_json": "The manifest is not JSON.",
    "library.manifest_too_large": (
        "The manifest would have {size:size}, more than the {limit:size} that one may have."
    ),
    "library.negative_size": "A size in the manifest is negative.",
    "library.too_large_size": "A size in the manifest is larger than any file.",
    "library.too_many_layers": "The manifest has more layers than any model.",
    "library.bad_layer": "The layer {layer} is not as Ollama writes it: {why}.",
    "library.layer_not_json": "The layer {layer} is not JSON.",
    "library.text_too_large": (
        "The layer {layer} has {size:size}, more than the {limit:size} that a text of a model may have."
    ),
    "library.file_too_long": "{path} is larger than the {limit:size} that a text of a model may have.",
    "library.wrong_size": "{path} has {size:,} bytes, not the {stated:,} of its manifest.",
    "library.not_readable": "{path} may not be read by this user.",
    "library.misplaced": "It lies where no model has its manifest.",
    "library.parts_missing": "Some of its files are missing.",
    # What a verification finds, and what to do about it.
    "library.blob_missing": "The file of the layer {layer} is missing.",
    "library.blob_wrong_size": "The file has {size:,} bytes, not the {stated:,} of the manifest.",
    "library.blob_damaged": "Its content is not what its name says.",
    "library.repair_pull": "`llmstack pull {model}` fetches it again.",
    "library.repair_import": "Import the file of {model} again, or create it again.",
    "library.repair_ollamas": (
        "Ollama does not read again what it has: remove {models} there, then pull again."
    ),
    "library.repair_nothing": "No model uses it. Ollama removes it at its next start.",
    "library.repair_clean": "No model uses it: `llmstack disk --clean` removes it.",
    "library.weights_damaged": (
        "The file of the weights has changed since it was verified, and is damaged: `llmstack disk --verify` "
        "says how to get it again."
    ),
    # Why a clean-up keeps a file: the remark beside it.
    "library.kept_ollamas": "Ollama's own",
    "library.kept_unreadable": "a manifest cannot be read, and may name it",
    "library.kept_young": "changed within the last hour",
    "library.kept_pulling": "a download is under way",
}

WORDING = Wording(SENTENCES.get)
"""For the logs of the engine."""
