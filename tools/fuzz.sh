#!/bin/sh
# Every fuzz test, SECONDS_EACH seconds each (default 5).
set -eu
cd "$(dirname "$0")/.."
each=${SECONDS_EACH:-5}
for dir in $(grep -rlE '^func Fuzz' --include='*_test.go' . | xargs -n1 dirname | sort -u); do
	for name in $(grep -hoE '^func Fuzz[A-Za-z0-9]+' "$dir"/*_test.go | sed 's/func //'); do
		echo "$dir $name"
		go test -run '^$' -fuzz "^$name\$" -fuzztime "${each}s" "$dir" | tail -n 1
	done
done
