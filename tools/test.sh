#!/bin/sh
# Every test. The skipped ones are counted and named at the end: a skipped check is not a passed one.
set -eu
cd "$(dirname "$0")/.."
mkdir -p .cache
log=.cache/test.log
status=0
race=-race
[ "$(go env CGO_ENABLED)" = 1 ] && command -v "$(go env CC)" >/dev/null 2>&1 || race=""
CGO_ENABLED=0 go build -trimpath -o bin/ ./cmd/senimd ./cmd/senim ./cmd/senim-agent
SENIM_BIN=$PWD/bin
export SENIM_BIN
go vet ./...
# These open and write key files all the time: hundreds of millions of rounds of a key derivation, which the race
# detector makes twenty times as long. They have next to nothing at once, and are tested without it. The cabinet, the desk, the
# portal and the registry spend theirs in SQLite, six times as long, the agent in key files; what they do at once is tested with it all the same.
# Points of a curve and the bytes of a PDF have nothing at once; in e2e it is the browser and the programs that work at once.
slow='^senim/(gost/internal/group|pades|internal/pdf|cmd/senim|cmd/senimd|e2e|internal/agent|internal/cabinet|internal/ceremony|internal/desk|internal/keystore|internal/portal|internal/registry|internal/vault|pfx)$'
together='TestP0[12]|TestQ0[56]|TestR10|TestHostile|TestSec8|TestHome|TestCancel|TestRun|TestPluggedMedia|TestKaztokenC|TestWindowIdle|TestNobodyJoins|TestPageGoes|TestTokensAreLookedAt|TestTokenComesAndGoes|Race|Once'
# shellcheck disable=SC2046,SC2086
{ go test $race -p 3 -timeout 20m -v $(go list ./... | grep -vE "$slow") 2>&1 || echo "exit $?"; go test -timeout 20m -v $(go list ./... | grep -E "$slow") 2>&1 || echo "exit $?"; [ -z "$race" ] || go test -race -v -run "$together" ./internal/portal ./internal/registry ./internal/cabinet ./internal/agent 2>&1 || echo "exit $?"; (cd tools/bench && go test -v ./... 2>&1) || echo "exit $?"; (cd tools/dist && go test -v . 2>&1) || echo "exit $?"; [ -z "$race" ] || go test -tags pkcs11 -v -run Driver ./cmd/senim-token 2>&1 || echo "exit $?"; } >"$log" || status=1
grep -E '^(ok|FAIL|panic:)|^ *--- FAIL' "$log" || true
if grep -qE '^exit [0-9]+$' "$log"; then
	status=1
	echo "what the failed ones said:"
	grep -vE '^=== (RUN|PAUSE|CONT|NAME)|--- (PASS|SKIP)|^PASS|^ok |level=(DEBUG|INFO|WARN)' "$log" | grep -E -B40 -A5 -- '--- FAIL|^panic:|^FAIL|DATA RACE|\[build failed\]' | tail -n 400
fi
passed=$(grep -cE '^ *--- PASS' "$log" || true)
failed=$(grep -cE '^ *--- FAIL' "$log" || true)
skipped=$(grep -cE '^ *--- SKIP' "$log" || true)
if [ "$skipped" != 0 ]; then
	echo "skipped, and why:"
	grep -A2 -E '^ *--- SKIP' "$log" | grep -vE '^--$' | sed 's/^/  /' | head -n 60
fi
echo "$passed passed, $failed failed, $skipped skipped"
exit "$status"
