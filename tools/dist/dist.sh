#!/bin/sh
# Packages of the agent, into dist/: .deb, .rpm and a tar for Linux, an installer for Windows, an application
# folder for macOS. The programs are static and built here; what a tool is missing for is said and left out.
# SENIM_AUTHORITIES names a folder of authorities that whoever has the package shall trust (decision 0035); none by default.
set -eu
cd "$(dirname "$0")/../.."
CGO_ENABLED=0
export CGO_ENABLED
rm -rf dist
mkdir -p dist .cache/dist
stage=$PWD/.cache/dist
seconds=$(git log -1 --format=%ct 2>/dev/null || echo 0)
VERSION=$(go run ./cmd/senim-agent version)
SOURCE_DATE_EPOCH=$seconds
export VERSION SOURCE_DATE_EPOCH
go build -modfile=tools/dist/go.mod -o "$stage/nfpm" github.com/goreleaser/nfpm/v2/cmd/nfpm

# build OS ARCH FILE [LINKER FLAG]
build() { GOOS=$1 GOARCH=$2 go build -trimpath -ldflags "-s -w ${4:-}" -o "$3" ./cmd/senim-agent; }
# pack FOLDER FILE: the same bytes for the same commit
pack() { tar --sort=name --mtime="@$seconds" --owner=0 --group=0 --numeric-owner -C "$stage" -cf - "$1" | gzip -n >"dist/$2"; }

# authorities FOLDER: the builder's, as a folder of this name
authorities() {
	mkdir -p "$1"
	[ -z "${SENIM_AUTHORITIES:-}" ] || find "$SENIM_AUTHORITIES" -maxdepth 1 -type f \( -name '*.cer' -o -name '*.crt' -o -name '*.der' -o -name '*.pem' \) -exec cp {} "$1" \;
}

for ARCH in amd64 arm64; do
	name=senim-agent-$VERSION-linux-$ARCH
	STAGE=$stage/$name
	export ARCH STAGE
	rm -rf "$STAGE"
	mkdir -p "$STAGE"
	build linux $ARCH "$STAGE/senim-agent"
	authorities "$STAGE/authorities"
	cp tools/dist/README.txt tools/dist/senim-agent.desktop "$STAGE"
	cp internal/web/assets/dist/mark.svg "$STAGE/senim-agent.svg"
	pack "$name" "$name.tar.gz"
	for kind in deb rpm; do "$stage/nfpm" package -f tools/dist/nfpm.yaml -p $kind -t dist/; done
done

STAGE=$stage/windows
rm -rf "$STAGE"
mkdir -p "$STAGE"
authorities "$STAGE/authorities"
build windows amd64 "$STAGE/senim-agent.exe"
build windows amd64 "$STAGE/senim-agentw.exe" -H=windowsgui # the same without a console, for the start at sign-in
sed 's/$/\r/' tools/dist/README.txt >"$STAGE/README.txt"
if command -v makensis >/dev/null 2>&1; then
	makensis -V2 "-DVERSION=$VERSION" "-DSTAGE=$STAGE" "-DOUT=$PWD/dist/senim-agent-$VERSION-windows-amd64.exe" tools/dist/senim-agent.nsi
else
	echo "makensis is missing (Debian: apt install nsis): no Windows installer" >&2
fi

for ARCH in amd64 arm64; do
	name=senim-agent-$VERSION-macos-$ARCH
	app=$stage/$name/Senim.app/Contents
	rm -rf "${stage:?}/$name"
	mkdir -p "$app/MacOS" "$app/Resources"
	build darwin $ARCH "$app/MacOS/senim-agent"
	authorities "$app/Resources/authorities"
	sed "s/@VERSION@/$VERSION/g" tools/dist/Info.plist >"$app/Info.plist"
	cp tools/dist/README.txt "$stage/$name"
	pack "$name" "$name.tar.gz"
done
(cd dist && sha256sum senim-agent* >SHA256SUMS)
ls -l dist
