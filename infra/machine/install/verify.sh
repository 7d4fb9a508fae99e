# shellcheck shell=sh disable=SC2154
# What is not as it was installed: changed by hand, or by another program. The
# release in $from is what everything is compared with.

# Prints a line for each thing that was changed; none when nothing was.
# usage: verify_release STATE
verify_release() {
  from=$(readlink -f "$1/current")
  [ "$(digest_of "$from")" = "$(basename "$from")" ] ||
    echo "copy $from: other content, so that nothing can be compared with it"
  changed_files | sed 's/^[0-9]* \([^ ]*\) /file \1: /'
  foreign_unit_files | sed 's/.*/file &: none of the stack/'
  while read -r unit; do
    change=$(unit_change "$unit")
    [ -z "$change" ] || echo "unit $unit: $change"
  done <"$from/units"
  changed_rules | sed 's/^/rules: /'
}

# Prints the files that are not as the release has them: mode, path, and how it
# differs. Each program runs once for all of them, and what one that fails has not
# said counts as a difference.
changed_files() {
  cut -d ' ' -f 2- "$from/modes" >"$work/files"
  xargs stat -c '%n %a %U %F' <"$work/files" >"$work/present" 2>/dev/null || true
  (cd "$from/root" && sed 's/^/./' "$work/files" | xargs sha256sum | sed 's/ \./ /') >"$work/wanted" || true
  # What is no file has no content: a pipe would never end.
  sed -n 's/ [0-9]* [^ ]* regular .*//p' "$work/present" | xargs -r sha256sum >"$work/found" || true
  # shellcheck disable=SC2016 # for awk
  awk '
    pass == 1 { present[$1] = $2 " " $3 }
    pass == 2 { wanted[$2] = $1 }
    pass == 3 { found[$2] = $1 }
    pass == 4 && !($2 in present) { print $0, "missing"; next }
    pass == 4 && (!($2 in found) || found[$2] != wanted[$2]) { print $0, "other content"; next }
    pass == 4 && present[$2] != $1 " root" { print $0, "mode and owner " present[$2] " instead of " $1 " root" }
  ' pass=1 "$work/present" pass=2 "$work/wanted" pass=3 "$work/found" pass=4 "$from/modes"
}

# What systemctl says counts, not whether it is content.
unit_change() {
  enabled=$(systemctl is-enabled "$1" 2>/dev/null || true)
  active=$(systemctl is-active "$1" || true)
  if [ "$enabled" != enabled ]; then
    echo "${enabled:-missing} instead of enabled"
  elif [ "$active" != active ]; then
    echo "$active instead of active"
  elif [ "$(systemctl show -p NeedDaemonReload --value "$1")" = yes ]; then
    echo "changed since systemd read it"
  fi
}

# Additions to the release's units that are none of its own, where systemd looks
# before what Debian's packages bring (systemd.unit(5)).
foreign_unit_files() {
  sed -n 's|.* /etc/systemd/system/\([^/]*\)$|\1|p' "$from/modes" | while read -r unit; do
    # Of a template (name@.service) those of its instances, too.
    case $unit in *@.*) instances="${unit%@*}@*.${unit##*.}" ;; *) instances=$unit ;; esac
    for place in /etc/systemd/system /etc/systemd/system.control /run/systemd/system /run/systemd/system.control; do
      [ -d "$place" ] || continue
      find "$place" -path "$place/$instances.d/*.conf"
      [ "$instances" = "$unit" ] || find "$place" -maxdepth 1 -type f -name "$instances"
    done
  done | sort -u >"$work/additions"
  cut -d ' ' -f 2- "$from/modes" | sort | comm -13 - "$work/additions"
}

# How the rules in force differ from those that the files make. That nobody can
# tell is a difference, too.
changed_rules() {
  [ -s "$from/rules" ] || return 0
  # shellcheck disable=SC2046
  $(entry "$from") sh "$(cut -d ' ' -f 2 "$from/rules")" 2>&1 || echo "cannot be compared"
}
