"""A registry of models for tests: real HTTP on the loopback address, with the faults that a test asks for."""

from tests.support.registry.faults import Fault
from tests.support.registry.published import Layer, Version
from tests.support.registry.server import Asked, Registry, serving

__all__ = ["Asked", "Fault", "Layer", "Registry", "Version", "serving"]
