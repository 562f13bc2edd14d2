#!/bin/sh
# The image's entrypoint: copy the course into the home folder, if it isn't there yet,
# and start in the copy. A volume that a JupyterHub mounts over the home folder would
# hide the image's files, so the image stores the course elsewhere. With a volume, the
# copy outlives the container.
set -eu
course="${COURSE:-/opt/conv/course}"
copy="$HOME/conv"
if [ ! -e "$copy/notebooks" ]; then
  mkdir -p "$copy"
  cp -R "$course/." "$copy"
fi
cd "$copy"
exec "$@"
