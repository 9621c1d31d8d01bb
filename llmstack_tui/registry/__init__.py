"""Registries of models: manifests, digests and tags; `download` fetches the blobs."""
