#!/bin/sh
# Packs a staged folder of Linux into a tar, a .deb and an .rpm: pack.sh FOLDER ARCH VERSION OUT. In the folder is the
# program, senim-token beside it where it could be built, a folder of authorities that its people shall trust when there are
# any, and nothing else yet. Packages are the same bytes for the same program and SOURCE_DATE_EPOCH, whoever packs them, where
# and when. SENIM_MAINTAINER is who answers for them, as "Name <address>", SENIM_LICENSE a file with the agent's licence and
# SENIM_LICENSE_NAME its SPDX name.
set -eu
STAGE=$1 ARCH=$2 VERSION=$3 OUT=$4
: "${SOURCE_DATE_EPOCH:?the time of the commit}"
umask 022
here=$(dirname "$0")
mkdir -p "$OUT" .cache/dist
without=''
[ -f "$STAGE/senim-token" ] || without="/# token\$/d"
cp tools/dist/README.txt tools/dist/senim-agent.desktop tools/dist/kz.senim.agent.metainfo.xml "$STAGE"
gzip -9nc tools/dist/senim-agent.1 >"$STAGE/senim-agent.1.gz"
sh tools/dist/licenses.sh linux "$ARCH" "$STAGE/LICENSES.txt"
sh tools/dist/licenses.sh linux "$ARCH" "$STAGE.copyright" debian
cp internal/web/assets/dist/mark.svg "$STAGE/senim-agent.svg"
mkdir -p "$STAGE/authorities" # the builder's, or none
chmod 755 "$STAGE" "$STAGE/senim-agent" "$STAGE/authorities"
[ -n "$without" ] || chmod 755 "$STAGE/senim-token"
find "$STAGE/authorities" -type f -exec chmod 644 {} +
find "$STAGE" -maxdepth 1 -type f ! -name senim-agent ! -name senim-token -exec chmod 644 {} +
chmod 644 "$STAGE.copyright"
find "$STAGE" "$STAGE.copyright" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
sh tools/dist/tar.sh "$STAGE" "$OUT/senim-agent-$VERSION-linux-$ARCH.tar.gz"
GOARCH='' GOOS='' go build -modfile=tools/dist/go.mod -o .cache/dist/nfpm github.com/goreleaser/nfpm/v2/cmd/nfpm
MAINTAINER=${SENIM_MAINTAINER:-Senim <senim@localhost>}
export STAGE ARCH VERSION MAINTAINER
sed -e "s|@LICENSE@|${SENIM_LICENSE_NAME:-LicenseRef-Senim}|" -e "$without" "$here/nfpm.yaml" >.cache/dist/nfpm.yaml
sed "s|@MAINTAINER@|$MAINTAINER|" "$here/changelog.yaml" >.cache/dist/changelog.yaml
for kind in deb rpm; do
	.cache/dist/nfpm package -f .cache/dist/nfpm.yaml -p $kind -t "$OUT/" >/dev/null
done
