#!/bin/sh
# Packs a folder: tar.sh FOLDER FILE. The same bytes for the same files and SOURCE_DATE_EPOCH.
set -eu
tar --sort=name --mtime="@$SOURCE_DATE_EPOCH" --owner=0 --group=0 --numeric-owner --format=ustar -C "$(dirname "$1")" -cf - "$(basename "$1")" | gzip -9n >"$2"
