#!/bin/sh
# Let `make` find the image's packages where it looks for them, in .venv, or it would
# download them all again. When the lock has changed, rebuild the container. The package
# conv is the one you edit: devcontainer.json puts src on PYTHONPATH.
set -eu
mkdir -p .venv
for part in bin etc include lib pyvenv.cfg share; do
  [ -e ".venv/$part" ] || ln -s "$VIRTUAL_ENV/$part" .venv/
done
touch .venv/ready
