#!/bin/sh
# Run make's targets without a network, except for loopback: `make offline`.
#
#     tests/no_network.sh test site
#
# Linux only. The environment must have been installed before.
set -eu
# shellcheck disable=SC2086  # some variables hold several words

if [ "${CONV_OFFLINE:-}" = "" ]; then
  for tool in unshare ip; do
    command -v "$tool" >/dev/null || {
      echo "no_network: $tool is missing; on Debian: apt install util-linux iproute2" >&2
      exit 1
    }
  done
  # Only root may set up loopback. Another user becomes root for that, and switches back
  # afterwards, because some tests check the permissions of an unprivileged user.
  become='' back=env
  if [ "$(id -u)" != 0 ]; then
    become=--map-root-user back="unshare --map-user=$(id -u) --map-group=$(id -g)"
  fi
  unshare $become --net $back true || {
    echo "no_network: this system doesn't allow a separate network namespace." >&2
    echo "In a container: docker run --cap-add SYS_ADMIN. On Ubuntu:" >&2
    echo "sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0" >&2
    exit 1
  }
  CONV_OFFLINE=$back exec unshare $become --net "$0" "$@"
fi

ip link set lo up
# Jupyter's kernels communicate over loopback, so only that must work.
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
    socket.getaddrinfo("example.org", 443)
except OSError as error:
    print(f"no_network: example.org: {error}")
else:
    sys.exit("no_network: names are looked up, so there is a network")
PROOF
# Requests to a proxy would fail differently than on a machine without a network.
unset http_proxy https_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY all_proxy
exec $CONV_OFFLINE make "$@"
