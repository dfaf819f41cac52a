#!/bin/sh
# Builds senim-token, which loads the drivers of PKCS #11 tokens and so needs cgo: token.sh OS ARCH FILE. Where there is no C
# compiler for that system it says so and makes no file: the package is then without tokens, and the rest of it works.
# On Debian, by hand: gcc, gcc-aarch64-linux-gnu, gcc-mingw-w64-x86-64. For macOS it takes a Mac.
# The same commit with the same Go and the same C compiler gives the same bytes.
set -eu
cd "$(dirname "$0")/../.."
os=$1 arch=$2 file=$3
case $arch in
amd64) machine=x86_64 ;;
arm64) machine=aarch64 ;;
*) echo "no such architecture: $arch" >&2 && exit 2 ;;
esac

have() { command -v "$1" >/dev/null 2>&1; }
cc='' flags='-s -w' lacks=''
case $os in
linux)
	lacks="gcc-$(printf %s $machine | tr _ -)-linux-gnu"
	if have $machine-linux-gnu-gcc; then
		cc=$machine-linux-gnu-gcc
	elif have cc && [ "$(uname -s)" = Linux ] && case $(cc -dumpmachine) in $machine-*) ;; *) false ;; esac; then
		cc=cc
	fi
	;;
windows)
	lacks="gcc-mingw-w64-$(printf %s $machine | tr _ -)"
	flags="$flags -H=windowsgui -extldflags=-static" # no console flashes when the agent starts it; its pipes are the agent's
	! have $machine-w64-mingw32-gcc || cc=$machine-w64-mingw32-gcc
	;;
darwin)
	lacks="a Mac"
	if [ "$(uname -s)" = Darwin ] && have clang; then
		cc="clang -arch $(printf %s $machine | sed s/aarch64/arm64/)"
		flags="$flags -extldflags=-mmacosx-version-min=12.0"
	fi
	;;
esac
if [ -z "$cc" ]; then
	echo "no C compiler for $os/$arch ($lacks): packages for $os/$arch have NO TOKENS, senim-token is not in them" >&2
	exit 0
fi
CC=$cc CGO_ENABLED=1 CGO_CFLAGS=-O2 CGO_LDFLAGS='' GOOS=$os GOARCH=$arch go build -trimpath -tags pkcs11 -ldflags "$flags" -o "$file" ./cmd/senim-token
