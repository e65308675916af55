# Go and make are enough to begin with: what else the tests need is installed by `make tools`, if it may be.

STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.1
GOVULNCHECK := golang.org/x/vuln/cmd/govulncheck@v1.9.0

# How long each target of `make fuzz` is run.
FUZZTIME ?= 20s

GO_FILES = $(shell find . -name '*.go' -not -path '*/node_modules/*')
JS_FILES = $(shell find . \( -name '*.js' -o -name '*.mjs' \) -not -path '*/node_modules/*' -not -path '*/dist/*')

.PHONY: build test allocations check tools machine faults fuzz vuln clean

build:
	go build -o sluice ./cmd/sluice

test: tools allocations
	go test -race -timeout 10m ./...

# What the path of a message may allocate. These tests are left out of those above: the race detector allocates, too.
allocations:
	go test -run Allocat ./chunker ./relay ./relay/sockets ./sio ./sio/engine ./sio/internal/websocket ./sio/packet

# The checks that need no running.
check: machine
	@echo 'gofmt -l' && files=$$(gofmt -l $(GO_FILES)) && if [ -n "$$files" ]; then echo "$$files"; exit 1; fi
	go vet ./...
	go run $(STATICCHECK) ./...
	go mod verify
	go mod tidy -diff
	@echo 'node --check' && for file in $(JS_FILES); do \
		if grep -qE '^(import|export)\b' $$file; then kind=module; else kind=commonjs; fi; \
		node --input-type=$$kind --check - < $$file || { echo "in $$file"; exit 1; }; \
	done

# What tests start: Debian's programs, Node's packages, an S3 server, a minifier. Tests build all but the first themselves if
# need be; here it does not count against their time.
tools: machine
	go test -race -count=1 -run '^(TestScriptsLoadThePackagesByName|TestTheS3ServerAnswersUnderItsOwnAuthority)$$' ./internal/lab
	go test -race -count=1 -run '^TestWhatIsServedIsMadeFromTheModules$$' ./sio/browser

machine:
	@.ci/install

# Nothing that was acknowledged is lost, at length: a quarter of an hour at most. As root: it mounts a disk to be filled.
faults: tools
	FAULTS=long go test -count=1 -timeout 15m -v -run '^TestWhatWasAcknowledged' ./internal/faults

# Every fuzz target for FUZZTIME, beyond the seeds that `make test` runs.
fuzz:
	@set -e; for package in $$(go list ./...); do \
		for target in $$(go test -list '^Fuzz' $$package | grep '^Fuzz' || true); do \
			echo "$$package $$target"; go test -run '^$$' -fuzz "^$$target$$" -fuzztime $(FUZZTIME) $$package; \
		done; \
	done

# Known vulnerabilities in what is called; needs https://vuln.go.dev.
vuln:
	go run $(GOVULNCHECK) ./...

clean:
	rm -rf sluice .tools node_modules internal/lab/node/node_modules
