#!/bin/sh
# Before the program goes for good, what its people had it put for the whole machine goes: the system's list of
# certificates, browsers' policies. What is a person's own stays in the homes, which a package leaves alone: without the
# program it does nothing, and `senim-agent uninstall` takes it away before. A failure is said and does not keep the
# package from being removed.
set -e
case "${1:-}" in
remove | 0) # dpkg's word, rpm's number of versions that stay
	HOME=/root XDG_CONFIG_HOME='' /usr/bin/senim-agent uninstall --system --everyone --lang en ||
		echo "senim-agent: what is named above was not taken away" >&2
	;;
esac
