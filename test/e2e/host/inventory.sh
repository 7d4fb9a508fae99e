#!/bin/sh
# Prints what of a server an install could have touched, a part after each line
# "== NAME". What is left out changes by itself; beside it stands why.
set -eu
export LC_ALL=C

echo "== files"
# Logs, and records of who was here.
logs='/var/log/journal /run/log /run/cloud-init/*.log /var/log/[bw]tmp /var/log/lastlog /run/utmp /run/motd*'
# What runs: systemd, udev, D-Bus, SSH and sudo write of it.
running='/run/systemd /run/udev /run/user /run/dbus /run/sudo /run/sshd.pid /tmp/systemd-private-* /var/tmp/systemd-private-*'
# When timers of the system went off, the clock, the random source.
times='/var/lib/systemd/timers/stamp-[!d]* /var/lib/systemd/timesync/* /var/lib/systemd/random-seed'
# Apt's and dpkg's own books, and what passwd and group were before somebody
# changed them last; what is installed, and who is known, are parts of their own.
packages='/etc/*passwd- /etc/*group- /etc/*shadow- /var/cache/apt /var/cache/debconf /var/lib/apt /var/log/apt /var/lib/dpkg /var/log/dpkg.log /var/log/alternatives.log'
# What the server's web servers keep of their own work.
web='/var/lib/caddy /var/log/caddy /var/lib/nginx /var/log/nginx'
# Docker and Daytona's stand-in, whose sandboxes live on.
sandboxes='/var/lib/containerd /var/lib/docker /var/lib/daytona-lab /run/containerd /run/docker /run/docker.pid'
set -f
set -- -false
for path in $logs $running $times $packages $web $sandboxes; do
  set -- "$@" -o -path "$path"
done
places=$(find /etc /usr/local /var /run /root /home /opt /srv /tmp -maxdepth 0)
# shellcheck disable=SC2086 # a word each
{
  # systemd makes the directory of times with the first timer that has one.
  find $places -xdev \( "$@" \) -prune -o ! -type s -printf '%p: %y %m %U:%G %l\n' |
    sed '\|^/var/lib/systemd/timers: |d'
  find $places -xdev \( "$@" \) -prune -o -type f -print0 | xargs -0 b2sum
} | sort

echo "== units"
systemctl list-unit-files --no-legend --plain | sort
# Sessions, mounts and containers come and go, and what has ended ran at a boot.
systemctl list-units --all --no-legend --plain --state=active,failed \
  --type=service,socket,timer,path | awk '$1 !~ /^user/ && $4 != "exited" { print $1, $3, $4 }' | sort
systemctl list-units --all --no-legend --plain 'daytona*' | awk '{ print $1, $2 }' | sort

echo "== users"
cat /etc/passwd /etc/group

echo "== packages"
dpkg-query -W

# Docker forwards nothing else where it was Docker that began to forward, which
# another boot may decide otherwise; its networks come in any order.
echo "== nftables"
nft --stateless list ruleset | sed '/hook forward priority filter/s/policy [a-z]*;//' | sort

# Docker has its rules by one of them, an operator maybe by the other.
echo "== iptables"
for variant in nft legacy; do
  for program in iptables ip6tables; do
    command -v "$program-$variant-save" >/dev/null || continue
    echo "$program-$variant"
    # Times of writing, and counters.
    "$program-$variant-save" 2>/dev/null |
      sed '/^#/d; s/ \[[0-9]*:[0-9]*\]$//; s/^:FORWARD .*/:FORWARD/' | sort
  done
done

echo "== network"
for family in -4 -6; do
  ip "$family" rule show
  ip "$family" route show table all | sed 's/ expires [0-9]*sec//; s/ linkdown//' | sort
done |
  # Docker's interfaces have other names, and its bridges other addresses of
  # IPv6's own making, after each of its starts.
  sed '/ dev veth/d; /:.* dev \(br-\|docker\)/d'
ip -o address show scope global | awk '{ print $2, $4 }' | sort
ip neigh show nud permanent
bridge fdb | grep sticky || true
bridge -d link | grep -o 'isolated on' || true

# Without what the kernel counts or makes up (the key when the first program asks
# for it), and what belongs to a sandbox's interface.
# The limit of inotify is the computer's: another run beside this one raises it.
echo "== sysctl"
sysctl -a 2>/dev/null | grep -Ev '^(user\.max_inotify_instances|fs\.(inotify\.max_user_instances|dentry-state|file-nr|inode-nr|inode-state|aio-nr|quota\.)|kernel\.(random\.(boot_id|uuid|entropy_avail)|ns_last_pid|pty\.nr|sched_domain)|net\.netfilter\.nf_conntrack_count|net\.ipv4\.tcp_fastopen_key|net\.ipv[46]\.(conf|neigh)\.veth)'
