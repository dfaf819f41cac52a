#!/bin/sh
# Packs a staged folder of Linux into a tar, a .deb and an .rpm: pack.sh FOLDER ARCH VERSION OUT. In the folder is the
# program, senim-token beside it where it could be built, a folder of authorities that its people shall trust when there are any, and nothing else yet. Packages are the same bytes for the same program and SOURCE_DATE_EPOCH, whoever packs
# them, where and when.
set -eu
STAGE=$1 ARCH=$2 VERSION=$3 OUT=$4
: "${SOURCE_DATE_EPOCH:?the time of the commit}"
umask 022
mkdir -p "$OUT" .cache/dist
tool=.cache/dist/nfpm.yaml
if [ -f "$STAGE/senim-token" ]; then
	cp tools/dist/nfpm.yaml $tool
	chmod 755 "$STAGE/senim-token"
else
	sed "/# token\$/d" tools/dist/nfpm.yaml >$tool
fi
cp tools/dist/README.txt tools/dist/senim-agent.desktop "$STAGE"
cp internal/web/assets/dist/mark.svg "$STAGE/senim-agent.svg"
mkdir -p "$STAGE/authorities" # the builder's, or none
chmod 755 "$STAGE" "$STAGE/senim-agent" "$STAGE/authorities"
find "$STAGE/authorities" -type f -exec chmod 644 {} +
chmod 644 "$STAGE/README.txt" "$STAGE/senim-agent.desktop" "$STAGE/senim-agent.svg"
find "$STAGE" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
sh tools/dist/tar.sh "$STAGE" "$OUT/senim-agent-$VERSION-linux-$ARCH.tar.gz"
GOARCH='' GOOS='' go build -modfile=tools/dist/go.mod -o .cache/dist/nfpm github.com/goreleaser/nfpm/v2/cmd/nfpm
export STAGE ARCH VERSION
for kind in deb rpm; do
	.cache/dist/nfpm package -f "$tool" -p $kind -t "$OUT/" >/dev/null
done
