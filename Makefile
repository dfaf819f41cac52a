# make help lists what there is. Nothing here needs more than Go, Node with npm, and a POSIX shell;
# `make need` says what is missing and, on Debian, installs it.
SHELL := /bin/sh
TEMPL := go tool -modfile=tools/go.mod templ
BIN   := bin

.PHONY: all help need generate generated fmt vet lint tree build token purego test unit big e2e demo tour load fuzz bench timing wycheproof bettertls dist dist-twice install-test windows-test cross clean

all: fmt vet lint test purego cross ## the gate: format, vet, linters, tree, tests with fuzz seeds, every build

help: ## this list
	@awk -F':.*## ' '/^[a-z0-9-]+:.*## /{printf "  make %-12s %s\n", $$1, $$2}' Makefile

need: ## say what the machine lacks; on Debian as root, install it
	@sh tools/need.sh

generate: ## make the generated code and the pages' styles and scripts again
	$(TEMPL) generate
	go generate ./...
	cd internal/web/assets/src && npm ci --no-audit --no-fund --silent && npm run --silent build

generated: generate ## fail when generating again leaves a difference
	git diff --exit-code -- '*_templ.go' internal/web/assets/dist gost

fmt: ## gofmt leaves no difference
	@test -z "$$(git ls-files -co --exclude-standard '*.go' | xargs gofmt -l | tee /dev/stderr)"

vet:
	go vet ./...
	cd tools/bench && go vet ./...

lint: ## golangci-lint, pinned in tools/lint
	go build -modfile=tools/lint/go.mod -o $(BIN)/golangci-lint github.com/golangci/golangci-lint/v2/cmd/golangci-lint
	GOLANGCI_LINT_CACHE=$(CURDIR)/.cache/lint $(BIN)/golangci-lint run ./...

build: ## the three programs, into bin/, without cgo; senim-token too where there is a C compiler
	CGO_ENABLED=0 go build -trimpath -o $(BIN)/ ./cmd/senimd ./cmd/senim ./cmd/senim-agent
	@$(MAKE) --no-print-directory token

token: ## senim-token with its PKCS #11 driver, into bin/; needs a C compiler, and says so where there is none
	@if command -v "$$(go env CC)" >/dev/null 2>&1; then echo CGO_ENABLED=1 go build -trimpath -tags pkcs11 -o $(BIN)/ ./cmd/senim-token; \
		CGO_ENABLED=1 go build -trimpath -tags pkcs11 -o $(BIN)/ ./cmd/senim-token; else echo "no C compiler: bin/senim-token is not built" >&2; fi

purego: ## everything builds and the mathematics pass without assembly
	CGO_ENABLED=0 go build -tags purego ./...
	go test -tags purego ./gost/...

test: need ## every test: both databases, the browser, the stories
	sh tools/test.sh

big: ## the command line over a file of 4 GiB: memory and time
	SENIM_LONG=1 go test -count=1 -timeout 30m -run TestBigFile -v ./cmd/senim

e2e: need build ## the browser tests alone
	go test -count=1 ./e2e

tour: build ## the stories walked by the program, with every step, letter and verdict printed
	@go run ./tour -bin $(BIN)

load: build ## how long the pages take with 200 people at once; fails when 1 of 100 waits 50 ms
	@go run ./load -bin $(BIN)

demo: need build ## everything running on this machine, with test people; a person walks the stories
	@$(BIN)/senimd demo --agent $(BIN)/senim-agent --dir .demo

fuzz: ## every fuzz test for a few seconds beyond its seeds
	sh tools/fuzz.sh

bench: ## speed beside nettle and gost-engine, kept in doc/benchmarks.md (some minutes)
	@sh tools/bench/need.sh
	@cd tools/bench && go run .

timing: ## does the time of signing depend on secrets? kept in doc/benchmarks.md (some minutes)
	@cd tools/bench && go run . timing

wycheproof: ## RSA signatures against C2SP/wycheproof (a download of 107 MB, in a module of its own)
	cd tools/wycheproof && go test -tags wycheproof -v .

bettertls: ## paths and name constraints against Netflix's BetterTLS (a download and some minutes)
	mkdir -p .cache
	cd tools/bettertls && go tool bettertls export-tests --out ../../.cache/bettertls.json
	SENIM_BETTERTLS=$(CURDIR)/.cache/bettertls.json go test -count=1 -timeout 60m -run TestBetterTLS -v ./pki

cross: ## the agent builds for every system people have
	CGO_ENABLED=0 GOOS=windows GOARCH=amd64 go vet ./cmd/senim-agent ./internal/agent ./internal/setup ./internal/keystore ./internal/desktop
	CGO_ENABLED=0 GOOS=darwin GOARCH=arm64 go vet ./cmd/senim-agent ./internal/agent ./internal/setup ./internal/keystore ./internal/desktop
	CGO_ENABLED=0 GOOS=linux GOARCH=arm64 go build -o /dev/null ./cmd/senim-agent

dist: ## packages of the agent for Linux, Windows and macOS, into dist/
	@sh tools/dist/dist.sh

dist-twice: ## all packages built twice under other conditions, and every byte compared; by hand (some minutes)
	@work=$$(mktemp -d) && sh tools/dist/twice.sh "$$work"; status=$$?; rm -rf "$$work"; exit $$status

install-test: ## the packages put on clean systems and taken away, two builds compared; by hand, as root on Debian (some minutes)
	@sh tools/dist/install-test.sh

windows-test: ## the agent under Wine: its tests, the installer, signatures, and the end; by hand, as root on Debian (some minutes)
	@sh tools/dist/windows-test.sh

clean:
	rm -rf $(BIN) .demo .cache dist
