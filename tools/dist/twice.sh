#!/bin/sh
# Builds all of dist/ twice from this commit and compares every file: twice.sh FOLDER. The builds have folders of another
# length, and other masks, time zones, languages and homes; what they share is Go and its modules.
# The first one stays in FOLDER/one/dist. By hand (make dist-twice), and the beginning of make install-test.
set -eu
work=$1
modules=$(go env GOMODCACHE) cache=$(go env GOCACHE)
export GOMODCACHE="$modules" GOFLAGS="-trimpath -modcacherw"
for n in one two-with-another-name; do
	git clone -q --shared . "$work/$n"
done
(cd "$work/one" && umask 022 && TZ=UTC LC_ALL=C.UTF-8 GOCACHE="$cache" sh tools/dist/dist.sh >/dev/null)
mkdir -p "$work/home"
find "$work/two-with-another-name" -exec touch -h -d '2001-02-03 04:05:06' {} +
(cd "$work/two-with-another-name" && umask 077 && TZ=Asia/Almaty LC_ALL=tr_TR.UTF-8 LANG=tr_TR.UTF-8 HOME=$work/home USER=nobody GOCACHE="$work/cache" \
	sh tools/dist/dist.sh >/dev/null)
ls "$work/one/dist" >"$work/list"
ls "$work/two-with-another-name/dist" | cmp - "$work/list"
failed=0 compared=0
while read -r name; do
	case $name in *.sig) continue ;; esac # a signature may be another each time: what it signs is compared
	cmp "$work/one/dist/$name" "$work/two-with-another-name/dist/$name" || failed=1
	compared=$((compared + 1))
done <"$work/list"
[ "$failed" = 0 ] || { echo "FAILED: two builds differ" >&2; exit 1; }
echo "$compared files, each the same twice"
