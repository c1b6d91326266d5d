#!/bin/sh
# Runs a command in namespaces of its own, where that is allowed: its mounts, its processes and the locks in /run/vault
# are its own, and nothing of them outlives it. Temporary files go into one directory, removed at the end.
set -u
if ! unshare --mount --pid --fork --kill-child --mount-proc true 2>/dev/null; then
  exec "$@"
fi
TMPDIR=$(mktemp -d "${TMPDIR:-/tmp}/vault-tests.XXXXXX")
export TMPDIR
chmod 755 "$TMPDIR"
trap 'rm -rf --one-file-system "$TMPDIR"' EXIT
trap 'exit 130' INT TERM HUP
# The shell stays, as the first process there: somebody has to collect the orphans.
unshare --mount --pid --fork --kill-child --mount-proc sh -c '
  mkdir -p /run/vault && mount -t tmpfs -o mode=0700 vault /run/vault || exit 1
  "$@"
  exit $?
' sh "$@"
