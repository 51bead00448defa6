# shellcheck shell=bash disable=SC2154  # the words above
# Saves a snapshot of the member on this node and keeps the newest. It holds every Secret of the cluster.
set -euo pipefail
umask 077

# A snapshot is taken from one member, never from a list of them.
export ETCDCTL_ENDPOINTS=$endpoint

# One fixed name, so that an interrupted run leaves nothing that the next one does not replace.
unfinished=$directory/unfinished
rm -f -- "$unfinished" "$unfinished.part"
"$bin/etcdctl" snapshot save "$unfinished"
"$bin/$status_program" snapshot status "$unfinished"
mv -- "$unfinished" "$directory/etcd-$(date -u +%Y%m%dT%H%M%SZ).db"

find "$directory" -maxdepth 1 -type f -name 'etcd-*.db' -printf '%f\n' | sort -r |
  tail -n "+$((keep + 1))" |
  while IFS= read -r old; do
    rm -f -- "$directory/$old"
  done
