#!/bin/bash
# Installs a .deb into a throw-away copy of this system (an overlay over /, nothing below it changes), starts what the unit
# starts as the unit would, removes the package, and lists what is left. Needs root and overlayfs. Usage: try-deb.sh FILE.deb
set -euo pipefail
deb=$(realpath "$1")
work=$(mktemp -d)
mount -t tmpfs none "$work"
mkdir "$work"/{upper,work,root}
mount -t overlay overlay -o "lowerdir=/,upperdir=$work/upper,workdir=$work/work" "$work/root"
cleanup() {
  umount "$work/root/proc" 2>/dev/null || true
  umount "$work/root" && umount "$work" && rmdir "$work"
}
trap cleanup EXIT
mount -t proc proc "$work/root/proc"
cp "$deb" "$work/root/tmp/package.deb"
# Depends are looked at by apt; here node may not come from a package.
inside() { chroot "$work/root" "$@"; }
inside dpkg --force-depends -i /tmp/package.deb 2>&1 | grep -v '^(Reading\|warning\|depends on\|dependency problems' || true
echo "== files of the package outside its own directory"
inside dpkg -L tunnelscope | grep -vE '^/(usr/lib/tunnelscope/|.$|usr$|usr/bin$|usr/lib$|usr/share|lib$|lib/systemd|etc$)' || true
echo "== ExecStart as the unit would"
command=$(sed -n 's/^ExecStart=//p' "$work/root/lib/systemd/system/tunnelscope.service")
echo "$command"
inside install -d -o tunnelscope -g tunnelscope -m 700 /var/lib/tunnelscope
inside install -d -o tunnelscope -g tunnelscope -m 750 /run/tunnelscope
status=0
timeout -s TERM 8 chroot "$work/root" unshare -n setpriv --reuid tunnelscope --regid tunnelscope --init-groups --inh-caps -all,+net_raw \
  --ambient-caps -all,+net_raw --bounding-set -all,+net_raw --no-new-privs $command || status=$?
echo "ended with $status (124: it ran until it was told to end)"
echo "== removed"
inside dpkg -r tunnelscope 2>&1 | grep -v '^(Reading' || true
echo "== left after removing"
inside find /usr/lib/tunnelscope /usr/bin/tunnelscope /etc/tunnelscope /var/lib/tunnelscope /run/tunnelscope /var/log/tunnelscope -printf '%u:%g %m %p\n' 2>/dev/null || true
inside getent passwd tunnelscope || echo "no user tunnelscope"
inside dpkg -P tunnelscope >/dev/null 2>&1 || true
echo "== left after purging"
inside find /etc/tunnelscope /var/lib/tunnelscope 2>/dev/null || echo nothing
[ "$status" = 124 ]
