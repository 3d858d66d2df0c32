"""The model zoo, and the user's own models beside it: what there is, where it is, and how it becomes a file to run."""

from latvar_tui.zoo.controls import Control, control
from latvar_tui.zoo.entries import (
    DEFAULT_LINE_UP,
    ModelEntry,
    ModelInput,
    WeightBlock,
    ZooError,
    catalogue,
    models_folder,
)
from latvar_tui.zoo.folders import cache_folder, data_folder
from latvar_tui.zoo.library import OwnModel, own_models
from latvar_tui.zoo.lookup import Found, find
from latvar_tui.zoo.weights import generator, materialise

__all__ = [
    "DEFAULT_LINE_UP",
    "Control",
    "Found",
    "ModelEntry",
    "ModelInput",
    "OwnModel",
    "WeightBlock",
    "ZooError",
    "cache_folder",
    "catalogue",
    "control",
    "data_folder",
    "find",
    "generator",
    "materialise",
    "models_folder",
    "own_models",
]
