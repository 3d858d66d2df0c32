"""The model zoo, and the user's own models beside it: what there is, where it is, and how it becomes a file to run."""

from latvar_tui.zoo.entries import (
    DEFAULT_LINE_UP,
    ModelEntry,
    ModelInput,
    WeightBlock,
    ZooError,
    catalogue,
    models_folder,
)
from latvar_tui.zoo.lookup import find
from latvar_tui.zoo.weights import cache_folder, generator, materialise

__all__ = [
    "DEFAULT_LINE_UP",
    "ModelEntry",
    "ModelInput",
    "WeightBlock",
    "ZooError",
    "cache_folder",
    "catalogue",
    "find",
    "generator",
    "materialise",
    "models_folder",
]
