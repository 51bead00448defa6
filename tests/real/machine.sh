#!/usr/bin/env bash
# First process of a test machine, in namespaces of its own (machine.rs): the host's whole file
# system, copy on write in memory, so that the host's programs run there and nothing stays behind.
# usage: machine.sh HOSTNAME
set -euo pipefail

base=/mnt
mount -t tmpfs -o mode=0755 tmpfs "$base"
mkdir "$base/upper" "$base/work" "$base/root"
mount -t overlay -o "lowerdir=/,upperdir=$base/upper,workdir=$base/work" overlay "$base/root"
mount -t proc proc "$base/root/proc"
mount --rbind /sys "$base/root/sys"
mount --rbind /dev "$base/root/dev"
mount -t tmpfs -o mode=0755 tmpfs "$base/root/run"
mount -t tmpfs -o mode=1777 tmpfs "$base/root/tmp"

hostname "$1"
echo "$1" >"$base/root/etc/hostname"
ip link set lo up

# From the line that machine.rs waits for on, the machine's root is its own.
exec chroot "$base/root" sh -c 'echo up && exec sleep infinity'
