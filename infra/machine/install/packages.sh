# shellcheck shell=sh disable=SC2154
# Debian packages that a bundle's programs need of the machine itself.

add_packages() {
  dpkg-query -W -f '${Package} ${db:Status-Status}\n' | sed -n '/ installed$/s/ .*//p' | sort >"$work/packages"
  missing=$(sort "$bundle/packages" | comm -23 - "$work/packages" | tr '\n' ' ')
  [ -n "$missing" ] || return 0
  say "adding packages: ${missing% }"
  export DEBIAN_FRONTEND=noninteractive
  # shellcheck disable=SC2086
  { apt-get -q update && apt-get -q -y -o DPkg::Lock::Timeout=300 --no-install-recommends install $missing; } >>"$log" 2>&1 ||
    fail "these packages could not be installed: ${missing% }; the end of $log says why. Give the machine a Debian mirror that it can reach, or install them beforehand"
  # Debian starts what it installs. Ours run as units of their own.
  for package in $missing; do
    if [ -e "/usr/lib/systemd/system/$package.service" ]; then
      systemctl --quiet disable --now "$package.service"
    fi
  done
}
