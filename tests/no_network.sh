#!/bin/sh
# Run make's targets where there is no network but loopback: `make offline`.
#
#     tests/no_network.sh test site
#
# Linux only. What would be downloaded (the environment) must be there already.
set -eu
# shellcheck disable=SC2086  # some variables hold several words

if [ "${CONV_OFFLINE:-}" = "" ]; then
  for tool in unshare ip; do
    command -v "$tool" >/dev/null || {
      echo "no_network: $tool is missing; on Debian: apt install util-linux iproute2" >&2
      exit 1
    }
  done
  # Only root may set up loopback. Who isn't becomes it, and then oneself again: some
  # tests look at what a user without rights may do.
  become='' back=env
  if [ "$(id -u)" != 0 ]; then
    become=--map-root-user back="unshare --map-user=$(id -u) --map-group=$(id -g)"
  fi
  unshare $become --net $back true || {
    echo "no_network: this system gives nobody a network of one's own." >&2
    echo "In a container: docker run --cap-add SYS_ADMIN. On Ubuntu:" >&2
    echo "sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0" >&2
    exit 1
  }
  CONV_OFFLINE=$back exec unshare $become --net "$0" "$@"
fi

ip link set lo up
# Jupyter's kernels talk over loopback, so that must work, and nothing else.
.venv/bin/python - <<'PROOF'
import socket
import sys

with socket.create_server(("127.0.0.1", 0)) as server:
    socket.create_connection(server.getsockname(), timeout=5).close()
for family, host in ((socket.AF_INET, "1.1.1.1"), (socket.AF_INET6, "2606:4700::1111")):
    try:
        socket.socket(family).connect((host, 443))
    except OSError as error:
        print(f"no_network: {host}: {error}")
    else:
        sys.exit(f"no_network: {host} answers, so there is a network")
try:
    socket.getaddrinfo("pypi.org", 443)
except OSError as error:
    print(f"no_network: pypi.org: {error}")
else:
    sys.exit("no_network: names are looked up, so there is a network")
PROOF
# A proxy in the environment would be asked in vain, and not as a reader's machine does.
unset http_proxy https_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY all_proxy
exec $CONV_OFFLINE make "$@"
