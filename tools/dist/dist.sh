#!/bin/sh
# Packages of the agent: .deb, .rpm and a tar for Linux, an installer for Windows, an application folder for macOS. They
# go into dist/, or into the folder that is named. The agent is static and built here; senim-token, for PKCS #11 tokens, where
# there is a C compiler for the system (token.sh). What a tool is missing for is said and left out. The same commit, with the same Go and C
# compilers, gives the same bytes.
# The licences of what is linked go with each; see pack.sh for SENIM_MAINTAINER, SENIM_LICENSE and SENIM_LICENSE_NAME.
# SENIM_AUTHORITIES names a folder of authorities that whoever has the package shall trust (decision 0035); none by default.
set -eu
cd "$(dirname "$0")/../.."
out=${1:-$PWD/dist}
umask 022
CGO_ENABLED=0
SOURCE_DATE_EPOCH=$(git log -1 --format=%ct 2>/dev/null || echo 0)
export CGO_ENABLED SOURCE_DATE_EPOCH
rm -rf "$out"
mkdir -p "$out" .cache/dist
stage=$PWD/.cache/dist
VERSION=$(go run ./cmd/senim-agent version)

# build OS ARCH FILE
build() { GOOS=$1 GOARCH=$2 go build -trimpath -ldflags "-s -w" -o "$3" ./cmd/senim-agent; }

# authorities FOLDER: the builder's, as a folder of this name
authorities() {
	mkdir -p "$1"
	[ -z "${SENIM_AUTHORITIES:-}" ] || find "$SENIM_AUTHORITIES" -maxdepth 1 -type f \( -name '*.cer' -o -name '*.crt' -o -name '*.der' -o -name '*.pem' \) -exec cp {} "$1" \;
}

for ARCH in amd64 arm64; do
	STAGE=$stage/senim-agent-$VERSION-linux-$ARCH
	rm -rf "$STAGE"
	mkdir -p "$STAGE"
	build linux $ARCH "$STAGE/senim-agent"
	sh tools/dist/token.sh linux $ARCH "$STAGE/senim-token"
	authorities "$STAGE/authorities"
	sh tools/dist/pack.sh "$STAGE" $ARCH "$VERSION" "$out"
done

STAGE=$stage/windows
rm -rf "$STAGE"
mkdir -p "$STAGE"
authorities "$STAGE/authorities"
sh tools/dist/windows.sh "$STAGE" "$VERSION" "$out"

for ARCH in amd64 arm64; do
	name=senim-agent-$VERSION-macos-$ARCH
	app=$stage/$name/Senim.app/Contents
	rm -rf "${stage:?}/$name"
	mkdir -p "$app/MacOS"
	build darwin $ARCH "$app/MacOS/senim-agent"
	sh tools/dist/token.sh darwin $ARCH "$app/MacOS/senim-token"
	authorities "$app/Resources/authorities"
	sed "s/@VERSION@/$VERSION/g" tools/dist/Info.plist >"$app/Info.plist"
	cp tools/dist/README.txt "$stage/$name"
	sh tools/dist/licenses.sh darwin $ARCH "$stage/$name/LICENSES.txt"
	sh tools/dist/tar.sh "$stage/$name" "$out/$name.tar.gz"
done

[ -n "${SENIM_MAINTAINER:-}" ] || echo "SENIM_MAINTAINER names nobody who answers for the packages" >&2
(cd "$out" && sha256sum senim-agent* >SHA256SUMS)
if [ -n "${SENIM_DIST_KEY:-}" ]; then
	sh tools/dist/sign.sh "$out/SHA256SUMS"
else
	echo "SENIM_DIST_KEY names no key: SHA256SUMS is not signed" >&2
fi
ls -l "$out"
