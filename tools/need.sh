#!/bin/sh
# Says what the machine lacks for the tests and the demo; on Debian, as root, installs it.
set -eu
cd "$(dirname "$0")/.."
missing=""
packages=""
lack() { missing="$missing  $1: $2
"; packages="$packages $3"; }

command -v go >/dev/null 2>&1 || { echo "Go is missing: version 1.26 or newer, https://go.dev/dl/" >&2; exit 1; }
command -v chromium >/dev/null 2>&1 || command -v google-chrome >/dev/null 2>&1 || lack chromium "the browser tests" chromium
command -v initdb >/dev/null 2>&1 || ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || lack postgresql "the tests of the second database" postgresql
openssl version >/dev/null 2>&1 || lack openssl "independent checks of what we write" openssl
openssl engine gost >/dev/null 2>&1 || lack libengine-gost-openssl "the independent check of Streebog" libengine-gost-openssl
command -v xmllint >/dev/null 2>&1 || lack xmllint "the independent check of canonical XML" libxml2-utils
command -v xmlsec1 >/dev/null 2>&1 || lack xmlsec1 "the independent check of XML signatures" xmlsec1
{ [ -x /usr/sbin/smsbox ] && [ -x /usr/lib/kannel/test/fakesmsc ]; } || lack kannel "short messages through a real gateway" "kannel kannel-extras"
command -v certutil >/dev/null 2>&1 || lack certutil "browsers' trust of the agent" libnss3-tools
command -v rpm >/dev/null 2>&1 || lack rpm "what is in the .rpm" rpm
command -v makensis >/dev/null 2>&1 || lack makensis "the installer for Windows" nsis
command -v ssh-keygen >/dev/null 2>&1 || lack ssh-keygen "the signature of packages" openssh-client
command -v desktop-file-validate >/dev/null 2>&1 || lack desktop-file-validate "the entries of menus" desktop-file-utils
command -v appstreamcli >/dev/null 2>&1 || lack appstreamcli "what centres of software show" appstream
command -v man >/dev/null 2>&1 || lack man "the manual page" man-db
command -v softhsm2-util >/dev/null 2>&1 || lack softhsm2-util "keys in a PKCS #11 token" softhsm2

# Accessibility checks of the pages come from npm, pinned in the lock file.
if command -v npm >/dev/null 2>&1; then
	[ -d internal/web/assets/src/node_modules/axe-core ] || (cd internal/web/assets/src && npm ci --no-audit --no-fund --silent) ||
		echo "npm could not install what internal/web/assets/src/package-lock.json names: the accessibility checks are skipped" >&2
else
	echo "Node with npm is missing: the accessibility checks are skipped" >&2
fi

apt() {
	export DEBIAN_FRONTEND=noninteractive
	apt-get install -y -qq "$@" >/dev/null 2>&1 || { apt-get update -qq && apt-get install -y -qq "$@" >/dev/null; }
}
debian() { command -v apt-get >/dev/null 2>&1 && [ "$(id -u)" = 0 ]; }

# Without the engine alone the pages are tested in the whole browser, which takes three times as long.
command -v chromium-headless-shell >/dev/null 2>&1 || ! debian || apt --no-install-recommends chromium-headless-shell ||
	echo "chromium-headless-shell cannot be installed: the browser tests take longer" >&2

[ -n "$packages" ] || exit 0
if debian; then
	echo "installing:$packages" >&2
	# shellcheck disable=SC2086
	apt $packages
	exit 0
fi
printf 'Missing on this machine (tests that need it are skipped and say so):\n%s' "$missing" >&2
command -v apt-get >/dev/null 2>&1 && echo "On Debian: sudo apt-get install$packages" >&2
exit 0
