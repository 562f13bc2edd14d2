"""Load a module from a folder that is not a package."""

import importlib.util
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).parent.parent


def load(file: str) -> ModuleType:
    """Load a Python file of the repository, for example ``requirements/install.py``."""
    path = ROOT / file
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
