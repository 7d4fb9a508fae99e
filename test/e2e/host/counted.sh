#!/bin/sh
# Runs a command and counts the programs that it changes something with, in a
# mount namespace of its own. At one of them all of it is killed, as by a lost
# power. Prints the programs, a line each; what the command says goes to the error
# output.
# usage: counted.sh COMMAND…
# In the environment: KILL_AT, the number of a program, from 1; nobody is killed
# where it is empty. KILL_AFTER, how many seconds after the program's start; it is
# not started where it is empty.
set -eu
mount -t tmpfs tmpfs /mnt
mkdir /mnt/bin
: >/mnt/programs
echo 0 >/mnt/count
cat >/mnt/bin/counted <<'COUNTED'
#!/bin/sh
program=${0##*/}
real="/usr/bin/$program"
[ -x "$real" ] || real="/usr/sbin/$program"
line="$program $*"
exec 3<&0 8>>/mnt/programs
flock 8
read -r count </mnt/count
echo "$((count + 1))" >/mnt/count
# The first line says which it is; an argument may be a whole script.
echo "${line%%
*}" >&8
if [ "$((count + 1))" = "${KILL_AT:-}" ]; then
  if [ -n "${KILL_AFTER:-}" ]; then
    "$real" "$@" <&3 &
    sleep "$KILL_AFTER"
  fi
  kill -9 0
fi
exec 8>&-
exec "$real" "$@" <&3 3<&-
COUNTED
chmod 755 /mnt/bin/counted
for program in chroot cp install ln mkdir mktemp mv rm rmdir systemctl tar tee touch; do
  ln -s counted "/mnt/bin/$program"
done
code=0
# A group of processes of its own is what is killed.
PATH="/mnt/bin:$PATH" setsid --wait "$@" >&2 || code=$?
cat /mnt/programs
exit "$code"
