#!/bin/bash
# Builds tunnelscope_VERSION_ARCH.deb into the directory given (default: here). Needs a built tree with its packages
# installed (npm install) and dpkg-deb; takes nothing from the network.
set -euo pipefail
case ${1:-.} in -*) echo "usage: packaging/build-deb.sh [DIRECTORY]"; exit 2 ;; esac
out=$(realpath "${1:-.}")
cd "$(dirname "$0")/.."
version=$(node -p "require('./package.json').version")
arch=$(dpkg --print-architecture)
stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT
chmod 755 "$stage"
umask 022
home=$stage/usr/lib/tunnelscope
dist=${TUNNELSCOPE_DIST:-dist}
addon=${TUNNELSCOPE_ADDON:-native/build/Release/tunnelscope.node}

mkdir -p "$home" "$stage"/{usr/bin,lib/systemd/system,etc/tunnelscope,usr/share/man/man1,usr/share/bash-completion/completions,DEBIAN}
cp -r "$dist" "$home/dist"
find "$home/dist" \( -name '*.map' -o -name '.tsbuildinfo*' \) -delete
cp -r package.json LICENSE README.md docs packaging "$home/"
install -D -m 644 -t "$home/examples" examples/*.pcapng
# The page's files that need no compiling.
install -D -m 644 -t "$home/src/web" src/web/*.html src/web/*.css src/web/*.svg
install -D -m 644 "$addon" "$home/native/prebuilds/linux-$(node -p process.arch)/tunnelscope.node"

# The packages we need at run time, without what building them left behind.
npm ls --omit=dev --all --parseable 2>/dev/null | tail -n +2 | sort -u | while read -r package; do
  target=$home/${package#"$PWD"/}
  mkdir -p "$target"
  (cd "$package" && tar -c --exclude=./node_modules --exclude='*/obj.target' --exclude='*/obj' --exclude='*.o' --exclude='./deps' --exclude='./src' .) | tar -x -C "$target"
done

cat >"$stage/usr/bin/tunnelscope" <<'WRAPPER'
#!/bin/sh
exec /usr/bin/node /usr/lib/tunnelscope/dist/cli/main.js "$@"
WRAPPER
chmod 755 "$stage/usr/bin/tunnelscope"
node --input-type=module -e "
  const { serviceUnit } = await import('file://$home/dist/daemon/service-unit.js')
  process.stdout.write(serviceUnit({ command: ['/usr/bin/tunnelscope'], user: 'tunnelscope', shownDirectories: [] }))
" >"$stage/lib/systemd/system/tunnelscope.service"
cp packaging/tunnelscope.toml "$stage/etc/tunnelscope/"
gzip -9nc docs/tunnelscope.1 >"$stage/usr/share/man/man1/tunnelscope.1.gz"
cp packaging/tunnelscope.bash "$stage/usr/share/bash-completion/completions/tunnelscope"

cat >"$stage/DEBIAN/control" <<CONTROL
Package: tunnelscope
Version: $version
Architecture: $arch
Maintainer: tunnelscope maintainers
Depends: nodejs (>= 20.19), libc6, passwd
Recommends: libpcap0.8
Section: net
Priority: optional
Description: says what leaves a machine outside its VPN tunnel
 Watches the physical and the tunnel interfaces at once and says, with packets
 as proof, what leaves outside the tunnel, and why a site breaks only with it.
CONTROL
echo /etc/tunnelscope/tunnelscope.toml >"$stage/DEBIAN/conffiles"
cp packaging/deb/{postinst,prerm,postrm} "$stage/DEBIAN/"
chmod 755 "$stage"/DEBIAN/{postinst,prerm,postrm}
dpkg-deb --root-owner-group -Zgzip -z6 --build "$stage" "$out/tunnelscope_${version}_$arch.deb"
