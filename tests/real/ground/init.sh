#!/bin/sh
# First process of a machine of the proving ground: turns what systemd-nspawn leaves read-only into
# what a machine of its own would have, then becomes systemd.
#
# The kernel is shared with the host, so settings that belong to the whole kernel are files here:
# scripts and programs read and write them as on any machine, and the host's own are left alone.
for key in kernel/panic kernel/panic_on_oops kernel/keys/root_maxkeys kernel/keys/root_maxbytes \
  vm/overcommit_memory vm/panic_on_oom fs/inotify/max_user_instances fs/inotify/max_user_watches; do
  file=/run/kernel/$key
  mkdir -p "${file%/*}"
  cat "/proc/sys/$key" >"$file"
  mount --bind "$file" "/proc/sys/$key"
done

# The settings of the network are the machine's own.
mount --bind /proc/sys/net /proc/sys/net
mount -o remount,bind,rw /proc/sys/net

# A runtime makes groups below its own.
for controller in /sys/fs/cgroup/*; do
  if mountpoint -q "$controller"; then
    mount -o remount,bind,rw "$controller" 2>/dev/null || mount -o remount,rw "$controller"
  fi
done

exec /lib/systemd/systemd
