# shellcheck shell=bash disable=SC2034
# Every word that a step may ask for, with values that mean something to a shell.
hostile=$'\'"; touch hacked; $(touch hacked) `touch hacked` * ~ \\ \n& | > < #'
cluster=lab bundle=0123456789ab node=$hostile address=192.0.2.1 interface=''
parts=(apt host firewall runtime etcd cni dns kubeadm kubelet kubeproxy pods settings)
steps=(10-prepare 20-install 30-balancer 40-etcd 50-init 50-join 60-verify 90-reset)
os_id=debian os_release=12 set_hostname=no swap_goes=no selinux=leave
hosts=(192.0.2.1 "$hostile")
packages_from=repositories package_family=apt manager=apt-get only_named=no
programs=("$hostile")
repositories=("$hostile" "$hostile" "/nowhere/$hostile")
keys=("$hostile" "$hostile" -)
packages=("$hostile" - no)
restarts=("$hostile" "$hostile")
archives=() archive_sources=() archive_programs=()
units=(30 "$hostile" yes yes check_it)
check_it=(false "$hostile")
stoppable=("$hostile") firewall=()
image_archives=("$hostile") images=("$hostile") images_needed=yes
endpoint="https://$hostile" endpoint_host=192.0.2.2 endpoint_port=8443 leaders=("$hostile")
listeners=("$hostile" 192.0.2.2 8443) booleans=("$hostile" "$hostile")
etcd_version=3.6.8 etcd_endpoint=https://192.0.2.1:2379 etcd_members=3
control_plane=yes kubernetes=1.37.1 runtime=containerd cri_socket=unix:///run/x.sock
health=/readyz first=cp1 control_plane_label=node-role.kubernetes.io/control-plane
admin_conf=/etc/kubernetes/admin.conf local_api=https://192.0.2.1:6443 last_addon=daemonset/kube-proxy init_options=()
other_apis=("$hostile" 192.0.2.3 6443)
dns=192.0.2.4 service=192.0.2.5 dns_domain="$hostile" member="http://$hostile" renew_before=2592000
arguments=(kube-scheduler "$hostile")
settings=(kubelet "$hostile" "$hostile")
needed=("$hostile" "$hostile")
kubelet_folder=/var/lib/kubelet emptied=("/nowhere/$hostile")
staying=etcd staying_as="$hostile" staying_units=(etcd.service) staying_files=('/etc/etcd/*') staying_emptied=(/var/lib/etcd)
staying_firewall=()
whole=yes
