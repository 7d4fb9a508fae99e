# shellcheck shell=sh disable=SC2154
# Debian packages: those that are missing come, and go again with the last
# bundle, with the users that they brought.

packages() { dpkg-query -W -f '${Package} ${db:Status-Status}\n' | sed -n '/ not-installed$/d; /config-files$/d; s/ .*//p' | sort; }
users() { cut -d : -f 1 /etc/passwd | sort; }

add_packages() {
  packages >"$work/packages"
  users >"$work/users"
  missing=$(sort "$bundle/packages" | comm -23 - "$work/packages" | tr '\n' ' ')
  if [ -n "$missing" ]; then
    say "adding packages: ${missing% }"
    export DEBIAN_FRONTEND=noninteractive
    came=yes
    # shellcheck disable=SC2086
    { apt-get -q update && apt-get -q -y -o DPkg::Lock::Timeout=300 --no-install-recommends install $missing; } >>"$log" 2>&1 || came=no
    # Also of a failed one some have come.
    packages | comm -13 "$work/packages" - >>"$home/packages-added"
    users | comm -13 "$work/users" - >>"$home/users-added"
    if [ "$came" = no ]; then
      fail "these packages could not be installed: ${missing% }; the end of $log says why. Give the machine a Debian mirror that it can reach, or install them beforehand"
    fi
    # Debian starts what it installs. Ours run as units of their own.
    for package in $missing; do
      if [ -e "/usr/lib/systemd/system/$package.service" ]; then
        systemctl --quiet disable --now "$package.service"
      fi
    done
  fi
}

# What somebody else has come to need since stays.
remove_packages() {
  [ -s "$home/packages-added" ] || return 0
  sort -u "$home/packages-added" >"$work/added"
  packages | comm -12 - "$work/added" >"$work/present"
  # shellcheck disable=SC2046
  apt-get --simulate purge $(cat "$work/present") | sed -n 's/^Purg \([^ ]*\).*/\1/p' | sort >"$work/purged"
  others=$(comm -13 "$work/added" "$work/purged" | tr '\n' ' ')
  if [ -n "$others" ]; then
    echo "kept are the packages that came with daytona-edge, because of: $others"
    return 0
  fi
  # shellcheck disable=SC2046
  DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=300 purge $(cat "$work/present") >/dev/null || return 1
  while read -r user; do
    ! id "$user" >/dev/null 2>&1 || userdel "$user"
  done <"$home/users-added"
}
