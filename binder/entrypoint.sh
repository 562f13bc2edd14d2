#!/bin/sh
# The image's entrypoint: give the learner a copy of the course, once, and work there.
# A volume over the home folder, as a JupyterHub mounts it, hides what an image has
# there. So the image keeps the course elsewhere, and a copy outlives the container.
set -eu
course="${COURSE:-/opt/conv/course}"
copy="$HOME/conv"
if [ ! -e "$copy/notebooks" ]; then
  mkdir -p "$copy"
  cp -R "$course/." "$copy"
fi
cd "$copy"
exec "$@"
