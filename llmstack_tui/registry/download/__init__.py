"""Downloads of models: manifests and blobs of any registry, into the engine's own folder."""
