#!/bin/sh
# Builds the agent for Windows and its installer: windows.sh FOLDER VERSION OUT. In the folder are the authorities that its
# people shall trust, or none. Where NSIS is missing that is said, and there is no installer.
set -eu
STAGE=$1 VERSION=$2 OUT=$3
: "${SOURCE_DATE_EPOCH:?the time of the commit}"
build() { CGO_ENABLED=0 GOOS=windows GOARCH=amd64 go build -trimpath -ldflags "-s -w ${2:-}" -o "$STAGE/$1" ./cmd/senim-agent; }
build senim-agent.exe
build senim-agentw.exe -H=windowsgui # the same without a console, for the start at sign-in
sh tools/dist/token.sh windows amd64 "$STAGE/senim-token.exe"
sh tools/dist/licenses.sh windows amd64 "$STAGE/LICENSES.txt"
sed 's/$/\r/' tools/dist/README.txt >"$STAGE/README.txt"
find "$STAGE" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
if command -v makensis >/dev/null 2>&1; then
	packed=''
	[ ! -f "$STAGE/senim-token.exe" ] || packed=-DTOKENS
	[ -z "$(ls "$STAGE/authorities")" ] || packed="$packed -DAUTHORITIES"
	# shellcheck disable=SC2086
	makensis -V2 -WX $packed "-DVERSION=$VERSION" "-DSTAGE=$STAGE" "-DOUT=$OUT/senim-agent-$VERSION-windows-amd64.exe" tools/dist/senim-agent.nsi
else
	echo "makensis is missing (Debian: apt install nsis): no Windows installer" >&2
fi
