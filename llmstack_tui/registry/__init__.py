"""What a registry of models tells: manifests, their digests, tags. Blobs are fetched elsewhere."""
