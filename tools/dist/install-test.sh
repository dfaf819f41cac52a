#!/bin/sh
# Puts the packages of this commit on clean systems and takes them away again: by hand, as root on Debian (make install-test).
# Two builds in two folders are compared. Then, in a Debian of the fewest packages that is made for it, in namespaces of
# its own: an older package, what a person and an administrator put with it, the newer package over it while the agent
# runs, the doctor, a signature over the socket, and the end; the list of all files of the system is then what it was. So
# for the .deb, the .rpm and the tar. SENIM_PREVIOUS names the older commit; default: the first one that had packages.
# SENIM_PACKAGES names a folder of packages to take instead of the two builds.
set -eu
cd "$(dirname "$0")/../.."
work=$PWD/.cache/installed
say() { printf '%s\n' "== $*"; }
fail() { printf '%s\n' "FAILED: $*" >&2; exit 1; }

if [ "${1:-}" != inside ]; then
	[ "$(id -u)" = 0 ] || fail "root is needed: systems are mounted"
	for tool in mmdebstrap dpkg rpm unshare setpriv ip ssh-keygen makensis; do
		command -v $tool >/dev/null || fail "$tool is missing (Debian: mmdebstrap, rpm, util-linux, iproute2, openssh-client, nsis)"
	done
	rm -rf "$work"
	mkdir -p "$work"
	if [ -n "${SENIM_PACKAGES:-}" ]; then
		cp -r "$SENIM_PACKAGES" "$work/new"
	else
		say "two builds of $(git rev-parse --short HEAD)"
		ssh-keygen -q -t ed25519 -N '' -C '' -f "$work/key"
		printf 'senim namespaces="senim-dist" %s\n' "$(cat "$work/key.pub")" >"$work/senim.signers"
		SENIM_DIST_KEY=$work/key sh tools/dist/twice.sh "$work" || fail "two builds differ"
		mv "$work/one/dist" "$work/new"
		(cd "$work/new" && ssh-keygen -Y verify -f "$work/senim.signers" -I senim -n senim-dist -s SHA256SUMS.sig <SHA256SUMS && sha256sum --quiet -c SHA256SUMS) || fail "the signature"
	fi
	previous=${SENIM_PREVIOUS:-$(git log --diff-filter=A --format=%H -- tools/dist/dist.sh | tail -1)}
	say "the older one, of $(git rev-parse --short "$previous")"
	git clone -q --shared . "$work/old"
	git -C "$work/old" checkout -q "$previous"
	mkdir -p "$work/senim-agent-0.0.1"
	(cd "$work/old" && CGO_ENABLED=0 go build -trimpath -o "$work/senim-agent-0.0.1/senim-agent" ./cmd/senim-agent)
	SOURCE_DATE_EPOCH=0 sh tools/dist/pack.sh "$work/senim-agent-0.0.1" amd64 0.0.1 "$work/older"
	CGO_ENABLED=0 go test -c -o "$work/signs" ./cmd/senim-agent
	[ -f .cache/clean.tar ] || mmdebstrap --quiet --variant=minbase --include=ca-certificates,libnss3-tools '' .cache/clean.tar /etc/apt/sources.list.d/debian.sources
	exec unshare --mount --pid --fork --kill-child --net sh "$0" inside
fi

new=$work/new
older=$work/older
ip link set lo up

# clean NAME: a system nobody has used, with a person who has a Firefox, and an administrator who has a policy for it.
clean() {
	root=$work/root-$1
	mkdir -p "$root"
	tar -xpf .cache/clean.tar -C "$root"
	mount -t proc proc "$root/proc"
	mount --rbind /dev "$root/dev"
	chroot "$root" useradd -m -u 1000 -s /bin/sh person
	printf '127.0.0.1 localhost\n::1 localhost\n' >"$root/etc/hosts"
	printf '#!/bin/sh\n' >"$root/usr/bin/xdg-open"
	chmod 755 "$root/usr/bin/xdg-open"
	mkdir -p "$root/etc/firefox/policies"
	printf '{\n  "policies": {\n    "DisableTelemetry": true\n  }\n}\n' >"$root/etc/firefox/policies/policies.json"
	person mkdir -p .mozilla/firefox/p.default .config .local/share/applications
	person certutil -N --empty-password -d sql:/home/person/.mozilla/firefox/p.default
	if [ "$1" = rpm ]; then
		mkdir -p "$root/usr/share/applications" "$root/usr/share/icons/hicolor/scalable/apps" "$root/usr/share/man/man1" \
			"$root/usr/share/metainfo" "$root/usr/share/licenses" # other packages' there
		rpm --root "$root" --initdb
	fi
	cp "$work/signs" "$root/usr/local/bin/signs"
	# Both make caches of their own at the first use.
	chroot "$root" update-ca-certificates --fresh >/dev/null
	files >"$work/before-$1"
}

person() { chroot --userspec=person:person "$root" env -i HOME=/home/person PATH=/usr/local/bin:/usr/bin:/bin LANG=C.UTF-8 sh -c 'cd && exec "$@"' sh "$@"; }
administrator() { chroot "$root" env -i HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 DEBIAN_FRONTEND=noninteractive "$@"; }

# files lists the system: kinds, modes, owners, links, contents; not what package managers note of themselves, and of
# databases that the browsers' tool writes what it lists.
files() {
	(cd "$root" && find . -xdev \( -path ./root/.rpmdb -o -path ./proc -o -path ./dev -o -path ./sys -o -path ./tmp -o -path ./run -o -path ./var/log -o -path ./var/cache -o -path ./var/lib/dpkg -o -path ./var/lib/rpm \) -prune -o -printf '%M %u:%g %p %l\n' | sort
	find . -xdev \( -path ./root/.rpmdb -o -path ./proc -o -path ./dev -o -path ./run -o -path ./var/lib/dpkg -o -path ./var/lib/rpm -o -path ./var/cache -o -path ./var/log -o -path ./tmp \) -prune -o -type f ! -name '*.db' -exec sha256sum {} + | sort -k2)
	person certutil -L -d sql:/home/person/.mozilla/firefox/p.default
}

# same NAME [PATTERN]: nothing is left, but for lines of the pattern.
same() {
	files >"$work/after"
	diff "$work/before-$1" "$work/after" | grep '^[<>]' | grep -vE "${2:-^$}" >"$work/left" || true
	[ ! -s "$work/left" ] || { cat "$work/left" >&2; fail "$1: the system is not what it was"; }
}

# soon COMMAND…: until it holds, a minute at most.
soon() {
	for _ in $(seq 300); do
		if "$@" >/dev/null 2>&1; then return; fi
		sleep 0.2
	done
	fail "not within a minute: $*"
}

trusts() { grep -qF "$(sed -n 2p "$root/home/person/.config/senim-agent/authority.crt")" "$root/etc/ssl/certs/ca-certificates.crt"; }

# parts PROGRAM: a person's and an administrator's part are put.
parts() {
	person "$1" install --yes -- --browser none
	administrator "$1" install --system --yes --data /home/person/.config/senim-agent
	trusts || fail "the system's list has no authority of ours"
}

# life NAME OLDER NEWER REMOVE: from an older package to none.
life() {
	say "$1: the older package, and what people put with it"
	eval "$2"
	parts senim-agent
	person sh -c 'senim-agent --wait --browser none >/dev/null 2>&1 &'
	soon person senim-agent status
	say "$1: the newer one over it, while the agent runs"
	eval "$3"
	person senim-agent stop
	person senim-agent install --yes --keep
	administrator senim-agent install --system --yes --data /home/person/.config/senim-agent
	person senim-agent start
	person senim-agent doctor --lang en || fail "$1: the doctor"
	person senim-agent stop
	say "$1: a signature"
	person env SENIM_INSTALLED=/usr/bin/senim-agent signs -test.run '^TestInstalled$' -test.v | grep -q -- '--- PASS: TestInstalled' || fail "$1: the signature"
	say "$1: the package goes before its people are done"
	eval "$4"
	! trusts || fail "the system's list still has our authority"
	same "$1" ' \./home/person|^> Senim agent'
	say "$1: and after they are"
	eval "$3"
	person senim-agent start
	person senim-agent uninstall
	eval "$4"
	same "$1"
}

# over ARGUMENTS…: rpm of Debian, which does not want to be used there.
over() { rpm --root "$root" --force-debian "$@"; }

clean deb
cp "$older"/*_amd64.deb "$root/tmp/older.deb"
cp "$new"/*_amd64.deb "$root/tmp/newer.deb"
life deb 'administrator dpkg -i /tmp/older.deb' 'administrator dpkg -i /tmp/newer.deb' 'administrator dpkg --purge senim-agent'
! administrator dpkg -s senim-agent >/dev/null 2>&1 || fail "dpkg still knows the package"

clean rpm
life rpm 'over -i "$older"/*.x86_64.rpm' 'over -U "$new"/*.x86_64.rpm' 'over -e senim-agent'
! over -q senim-agent >/dev/null 2>&1 || fail "rpm still knows the package"

clean tar
say "tar: unpacked by a person, without an administrator"
cp "$new"/*-linux-amd64.tar.gz "$root/tmp/newer.tar.gz"
person tar -xzf /tmp/newer.tar.gz
program=$(cd "$root/home/person" && echo senim-agent-*/senim-agent)
person "./$program" install --yes -- --browser none
person "./$program" start
person "./$program" doctor --lang en || fail "tar: the doctor"
person "./$program" stop
person env "SENIM_INSTALLED=/home/person/$program" signs -test.run '^TestInstalled$' -test.v | grep -q -- '--- PASS: TestInstalled' || fail "tar: the signature"
person "./$program" uninstall --whole
person rm -r "$(dirname "$program")"
same tar
say "nothing is left of any of them"
