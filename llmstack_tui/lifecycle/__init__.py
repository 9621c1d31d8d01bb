"""Loading, unloading and the state of models. Nothing else calls load and unload."""
