#!/bin/sh
# Writes the licences of all that is linked into the agent for one system: licenses.sh OS ARCH FILE [debian]. They ask for
# it: each goes with the program. Debian has the text of Apache's by itself, and wants it named and not repeated. SENIM_LICENSE names a file with the licence of the agent itself, which whoever publishes names.
set -eu
export GOOS="$1" GOARCH="$2"
{
	echo "Senim agent"
	echo
	if [ -n "${SENIM_LICENSE:-}" ]; then cat "$SENIM_LICENSE"; else
		echo "Copyright the authors of Senim. Who publishes this package names the licence."
	fi
	echo
	echo "Linked into the program are the works below, each under its own licence."
	printf '\n%s\n\n' "---- The Go standard library, $(go env GOVERSION)"
	cat "$(go env GOROOT)/LICENSE"
	# senim-token, beside it in some packages, links what needs cgo
	CGO_ENABLED=1 go list -deps -tags pkcs11 -f '{{with .Module}}{{if not .Main}}{{.Path}} {{.Version}} {{.Dir}}{{end}}{{end}}' ./cmd/senim-agent ./cmd/senim-token | LC_ALL=C sort -u | while read -r module version dir; do
		[ -n "$module" ] || continue
		printf '\n%s\n\n' "---- $module $version"
		found=$(find "$dir" -maxdepth 1 -type f \( -iname 'licen[cs]e*' -o -iname 'copying*' -o -iname 'notice*' \) | LC_ALL=C sort)
		[ -n "$found" ] || { echo "$module has no licence in it" >&2; exit 1; }
		printf '%s\n' "$found" | while read -r file; do
			if [ "${4:-}" = debian ] && grep -q 'Version 2.0, January 2004' "$file"; then
				echo "Licensed under the Apache License, version 2.0; its text is in /usr/share/common-licenses/Apache-2.0."
			else
				cat "$file"
			fi
		done
	done
} >"$3"
