# shellcheck shell=sh
# Begins each script that a user other than root runs:
# what follows goes on as root, with the same standard input.
if ! sudo -n true 2>/dev/null; then
  echo "daytona-edge: $(id -un) may not use sudo without a password on $(hostname); log in as root, or lay \"$(id -un) ALL=(ALL) NOPASSWD: ALL\" into a file in /etc/sudoers.d" >&2
  exit 1
fi
