#!/bin/sh
# The image's entrypoint: copy the course into the home folder once, and start there.
# A volume over the home folder, as a JupyterHub mounts it, hides the image's files there.
# So the image keeps the course elsewhere, and the copy outlives the container.
set -eu
course="${COURSE:-/opt/conv/course}"
copy="$HOME/conv"
if [ ! -e "$copy/notebooks" ]; then
  mkdir -p "$copy"
  cp -R "$course/." "$copy"
fi
cd "$copy"
exec "$@"
