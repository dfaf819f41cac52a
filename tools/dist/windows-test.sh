#!/bin/sh
# Runs the agent of this tree on Windows, as far as Wine is one: by hand, as root on Debian (make windows-test). In a Debian that
# has Wine, made for it in namespaces of its own, as a person without rights: the tests of the packages that have code for
# Windows; then the installer, the agent it put, signatures, and the end, after which nothing is left (TestInstalledOnWindows).
# At the end programs of Linux ask the agent: Wine cannot tell whose they are, so it refuses them; told --single-user it
# answers, and its window is opened in Chromium, when that is here.
set -eu
cd "$(dirname "$0")/../.."
work=$PWD/.cache/windows
system=$work/system
packages='internal/keystore internal/setup internal/desktop internal/trustdir internal/agent cmd/senim-agent'
say() { printf '%s\n' "== $*"; }
fail() { printf '%s\n' "FAILED: $*" >&2; exit 1; }

if [ "${1:-}" != inside ]; then
	[ "$(id -u)" = 0 ] || fail "root is needed: a system is mounted"
	for tool in mmdebstrap unshare makensis ip curl openssl; do
		command -v $tool >/dev/null || fail "$tool is missing (Debian: mmdebstrap, util-linux, nsis, iproute2, curl, openssl)"
	done
	say "the agent, its installer and its tests, of $(git rev-parse --short HEAD)"
	rm -rf "$work/stage" "$work/out" "$work/tests"
	mkdir -p "$work/stage/authorities" "$work/out" "$work/tests"
	VERSION=$(go run ./cmd/senim-agent version)
	SOURCE_DATE_EPOCH=$(git log -1 --format=%ct) sh tools/dist/windows.sh "$work/stage" "$VERSION" "$work/out"
	for package in $packages; do
		CGO_ENABLED=0 GOOS=windows go test -c -o "$work/tests/$(basename "$package")-tests.exe" "./$package"
	done
	CGO_ENABLED=0 go test -c -o "$work/tests/from-linux" ./internal/agent
	go build -trimpath -o "$work/senim" ./cmd/senim
	if command -v x86_64-w64-mingw32-gcc >/dev/null; then
		CGO_ENABLED=1 GOOS=windows CC=x86_64-w64-mingw32-gcc go build -trimpath -tags pkcs11 -o "$work/stage/senim-token.exe" ./cmd/senim-token
	else
		say "senim-token is not built: no C compiler for Windows (Debian: gcc-mingw-w64-x86-64)"
	fi
	if [ ! -d "$system" ]; then
		say "a Debian with Wine, which also runs programs of 32 bits, as the installer is"
		mmdebstrap --quiet --architectures=amd64,i386 --variant=minbase --include=wine,wine64,wine32:i386 trixie "$system.new" http://deb.debian.org/debian
		chroot "$system.new" useradd -m -u 1000 -s /bin/sh person
		printf '127.0.0.1 localhost\n::1 localhost\n' >"$system.new/etc/hosts"
		mv "$system.new" "$system"
	fi
	exec unshare --mount --pid --fork --kill-child --net sh "$0" inside
fi

ip link set lo up
mount -t proc proc /proc
mount -t proc proc "$system/proc"
mount --rbind /dev "$system/dev"
mount -t tmpfs -o mode=1777 tmpfs "$system/tmp"
rm -rf "$system/home/person"
install -d -o 1000 -g 1000 "$system/home/person" "$system/home/person/run"
mkdir -p "$system$PWD"
mount --rbind -o ro "$PWD" "$system$PWD"
shared=$(cd .. && pwd)/shared # public test data, where it is
if [ -d "$shared" ]; then
	mkdir -p "$system$shared"
	mount --bind -o ro "$shared" "$system$shared"
fi

# person COMMAND…: as the person, in the folder that is named by IN, with the Windows that is named by WINDOWS.
person() {
	chroot --userspec=1000:1000 "$system" env -i HOME=/home/person PATH=/usr/bin:/bin LANG=C.UTF-8 WINEDEBUG=-all WINEARCH=win64 "WINEPREFIX=/home/person/${WINDOWS:-one}" XDG_RUNTIME_DIR=/home/person/run \
		"SENIM_INSTALLER=${SENIM_INSTALLER:-}" "SENIM_SIGNATURE=${SENIM_SIGNATURE:-}" sh -c 'cd "$0" && exec "$@"' "${IN:-/home/person}" "$@"
}

say "$(person wine --version), as a person without rights"
person wine wineboot --init >/dev/null 2>&1 || fail "Wine does not begin"

failed=''
for package in $packages; do
	name=$(basename "$package")
	say "tests of $package"
	if ! IN=$PWD/$package person timeout 900 wine "$work/tests/$name-tests.exe" -test.v -test.timeout 14m >"$work/tests/$name.txt" 2>&1; then
		failed="$failed $package"
		grep -vE '^ *(=== |--- (PASS|SKIP))' "$work/tests/$name.txt" | tail -40
	fi
	printf '%s passed, %s skipped:\n' "$(grep -c '^--- PASS' "$work/tests/$name.txt")" "$(grep -c '^--- SKIP' "$work/tests/$name.txt" || true)"
	grep -B1 '^--- SKIP' "$work/tests/$name.txt" | grep -v '^--$' | sed -n 's/^ *[a-z_0-9]*\.go:[0-9]*: /  /p' | sort | uniq -c
done
[ -z "$failed" ] || fail "tests of$failed"

say "the installer, the agent and the end, on a Windows that is new"
WINDOWS=two
SENIM_INSTALLER=$(ls "$work"/out/senim-agent-*-windows-amd64.exe)
SENIM_SIGNATURE=/home/person/signature
export SENIM_INSTALLER SENIM_SIGNATURE
person wine wineboot --init >/dev/null 2>&1 || fail "Wine does not begin"
IN=$PWD/cmd/senim-agent person timeout 600 wine "$work/tests/senim-agent-tests.exe" -test.v -test.run '^TestInstalledOnWindows$' >"$work/tests/installed.txt" 2>&1 || { cat "$work/tests/installed.txt"; fail "TestInstalledOnWindows"; }
grep -q '^--- PASS: TestInstalledOnWindows' "$work/tests/installed.txt" || fail "TestInstalledOnWindows did not run"

say "its signature, looked at by other programs"
signature=$system$SENIM_SIGNATURE
mkdir -p "$work/trust"
cp "$signature.root.cer" "$work/trust/root.cer"
cp "$signature.ca.cer" "$work/trust/ca.cer"
openssl cms -cmsout -inform PEM -in "$signature" -noout || fail "openssl does not read it"
"$work/senim" verify --trust "$work/trust" --no-revocation "$signature" || fail "senim does not find it good"

say "programs of Linux"
agent() {
	person wine "$work/stage/senim-agent.exe" --headless --browser none --keychain=false --data 'C:\agent' --keys 'Z:\home\person\keys' "$@" >"$work/tests/agent.txt" 2>&1 &
	for _ in $(seq 300); do
		if grep -q ^listening "$work/tests/agent.txt"; then return; fi
		sleep 0.2
	done
	fail "the agent does not start"
}
agent
status=$(curl -s -o /dev/null -w '%{http_code}' http://127.0.0.1:13579/)
[ "$status" = 403 ] || fail "a program that Wine cannot name is answered $status"
say "refused: Wine cannot tell whose they are"
person wine taskkill /F /IM senim-agent.exe >/dev/null 2>&1 || fail "the agent cannot be ended"
agent --single-user
status=$(curl -s -o /dev/null -w '%{http_code}' http://127.0.0.1:13579/)
[ "$status" = 200 ] || fail "told --single-user it answers $status"
keys=$system/home/person/keys
install -d -o 1000 -g 1000 "$keys"
(cd internal/agent && SENIM_WINDOWS_SAYS=$work/tests/agent.txt SENIM_WINDOWS_KEYS=$keys "$work/tests/from-linux" -test.v -test.run '^TestWindowOfWindows$') >"$work/tests/window.txt" 2>&1 || { cat "$work/tests/window.txt"; fail "TestWindowOfWindows"; }
grep -E '^--- (PASS|SKIP)|no chromium' "$work/tests/window.txt"
say "nothing failed"
