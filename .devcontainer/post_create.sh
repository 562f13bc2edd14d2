#!/bin/sh
# Link the image's packages into .venv, where `make` looks for them; otherwise it would
# download them again. Rebuild the container after the lock has changed. The package conv
# is imported from the workspace: devcontainer.json adds src to PYTHONPATH.
set -eu
mkdir -p .venv
for part in bin etc include lib pyvenv.cfg share; do
  [ -e ".venv/$part" ] || ln -s "$VIRTUAL_ENV/$part" .venv/
done
touch .venv/ready
