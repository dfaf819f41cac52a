#!/bin/sh
# Signs a list of digests with the operator's key: sign.sh FILE makes FILE.sig, in OpenSSH's format, which ssh-keygen checks
# on Linux, macOS and Windows without a program of ours. SENIM_DIST_KEY is an Ed25519 key of OpenSSH: its file, or the
# public half when ssh-agent or a token holds the other. No signature is left when anything fails.
set -eu
case $(ssh-keygen -l -f "$SENIM_DIST_KEY") in
*'(ED25519)' | *'(ED25519-SK)') ;;
*) echo "SENIM_DIST_KEY is not an Ed25519 key" >&2 && exit 1 ;;
esac
rm -f "$1.sig"
ssh-keygen -Y sign -f "$SENIM_DIST_KEY" -n senim-dist "$1" 2>/dev/null || { echo "SENIM_DIST_KEY does not sign" >&2 && exit 1; }
ssh-keygen -Y check-novalidate -n senim-dist -s "$1.sig" <"$1" || { rm -f "$1.sig" && exit 1; }
