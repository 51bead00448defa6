# shellcheck shell=bash disable=SC2154  # the words above
# Success lets this node hold the VIP: the balancer here answers on its port, and the node is not cut off
# from the other control planes.
set -u

exec 3<>"/dev/tcp/$loopback/$port" || exit 1

# To loopback the balancer says a word or closes at once. One that hangs does neither: the kernel
# still accepts for it, so only waiting tells.
read -r -t 0.5 _ <&3 2>/dev/null
answer=$?
# Above 128, read ran into its time limit.
((answer <= 128)) || exit 1

# Nobody else could hold the VIP.
[ -n "${peers[*]-}" ] || exit 0
# Nothing more is asked before a node that is to have an API server has it: somebody has to hold the
# VIP until the first one exists.
[ -z "$manifest" ] || [ -e "$manifest" ] || exit 0

# curl of CentOS 7 knows whole seconds only.
answers() { timeout 0.3 curl -sf -o /dev/null --noproxy '*' "$@"; }
api_server_is_ready() { [ -n "$api_server" ] && answers --cacert "$ca" "$api_server"; }

# A balancer that says that it finds no API server, although the one here is ready, is of no use.
# Where none is ready anywhere, as while etcd elects a leader, giving the VIP up would help nobody.
# nginx does not say.
balancer_finds_none() {
  [ -n "$status_port" ] && exec 4<>"/dev/tcp/127.0.0.1/$status_port" || return 1
  printf 'GET /healthz HTTP/1.0\r\n\r\n' >&4
  read -r -t 0.3 _ status _ <&4 && [ "$status" = 503 ]
}
if balancer_finds_none && api_server_is_ready; then
  exit 1
fi

# A node that is cut off from the control planes hears nobody and takes the VIP, or keeps it, with
# nothing of use behind its balancer. Whoever reaches one of these hosts is not cut off. What they
# answer is not asked, nor how fast: API servers are slow, or down, all at once, and then a VIP
# that everybody gives up comes back seconds after them.
reaches() {
  local said
  # shellcheck disable=SC2016  # for the other bash
  said=$(LC_ALL=C timeout 0.3 bash -c 'exec 3<>"/dev/tcp/$1"' bash "$1" 2>&1) || [[ $said == *refused* ]]
}
reaches "${peers[0]}" && exit 0
asked=()
for peer in "${peers[@]}"; do
  reaches "$peer" &
  asked+=("$!")
done
for one in "${asked[@]}"; do
  wait "$one" && exit 0
done

# Or the others are gone, and this node is all that is left, if it has an API server. An API server
# says for up to three seconds that it is ready after etcd has lost its quorum, and a slow one says
# nothing for as long; a member of etcd knows at once.
if [ -n "$member" ]; then
  answers "$member"
else
  api_server_is_ready
fi
