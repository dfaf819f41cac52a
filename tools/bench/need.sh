#!/bin/sh
# Says what the machine lacks to measure the peers; on Debian, as root, installs it. Nothing here is
# needed for the tests or the programs. A peer that stays missing is a row without a figure.
set -eu
missing=""
packages=""
lack() { missing="$missing  $1: $2
"; packages="$packages $3"; }
header() { command -v cc >/dev/null 2>&1 && printf '#include <%s>\n' "$1" | cc -E -o /dev/null - 2>/dev/null; }

command -v cc >/dev/null 2>&1 || lack "C compiler" "the peers' harnesses" "gcc libc6-dev"
header nettle/gostdsa.h || lack nettle-dev "nettle" nettle-dev
header openssl/engine.h || lack libssl-dev "gost-engine" libssl-dev
openssl engine gost >/dev/null 2>&1 || lack libengine-gost-openssl "gost-engine" "openssl libengine-gost-openssl"
command -v taskset >/dev/null 2>&1 || lack taskset "keeping to one core" util-linux

[ -n "$packages" ] || exit 0
if command -v apt-get >/dev/null 2>&1 && [ "$(id -u)" = 0 ]; then
	echo "installing:$packages" >&2
	export DEBIAN_FRONTEND=noninteractive
	# shellcheck disable=SC2086
	if apt-get install -y -qq $packages >/dev/null 2>&1 || { apt-get update -qq && apt-get install -y -qq $packages >/dev/null; }; then
		exit 0
	fi
	echo "could not install them" >&2
fi
printf 'Missing on this machine (what needs it is not measured, and the results say so):\n%s' "$missing" >&2
command -v apt-get >/dev/null 2>&1 && echo "On Debian: sudo apt-get install$packages" >&2
exit 0
