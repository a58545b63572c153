SHELL := /bin/bash
.SHELLFLAGS := -o pipefail -ec
GO ?= go
BIN := bin/kindred
VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LINT := github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2
HELM := helm.sh/helm/v3/cmd/helm@v3.19.0
FUZZTIME ?= 20000x

.DEFAULT_GOAL := help

.PHONY: help
help: ## List the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "%-14s %s\n", $$1, $$2}'

.PHONY: setup
setup: ## Install the hook that checks commit messages
	git config core.hooksPath .ci/hooks

.PHONY: build
build: ## Build bin/kindred
	@mkdir -p bin
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags "-s -w -X main.version=$(VERSION)" -o $(BIN) ./cmd/kindred

.PHONY: release
release: ## Build archives for Linux, macOS and Windows with checksums and an SBOM into dist/, the same bytes each time
	.ci/release $(VERSION)

.PHONY: helm-lint
helm-lint: ## Lint the chart and render it, with helm, pinned
	GOFLAGS=-mod=mod $(GO) run $(HELM) lint deploy/helm/kindred
	GOFLAGS=-mod=mod $(GO) run $(HELM) template kindred deploy/helm/kindred >/dev/null
	GOFLAGS=-mod=mod $(GO) run $(HELM) template kindred deploy/helm/kindred --set cluster.enabled=true --set 'cluster.journalBrokers={kafka-1:9092}' \
		--set cluster.secret=secret --set cluster.certificate=certificate --set 'cluster.certificateNames={nodes}' >/dev/null

.PHONY: run
run: build ## Run the demo: shoppers stream in, and their identities merge before your eyes
	$(BIN) demo

.PHONY: cluster-demo
cluster-demo: build .kafka/classpath ## Three brokers and three nodes on loopback: shoppers stream in, one node is killed, and nothing is lost
	$(GO) run ./internal/testkit/clusterdemo -bin $(BIN)

.PHONY: test
test: race wires research peers properties mutants kill scale memory ## All tests: race detector, properties, mutants, kill -9, a million events, memory

.PHONY: unit
unit: ## The quick tests
	$(GO) test -short ./...

.PHONY: race
race: ## Every test under the race detector
	$(GO) test -race -short -timeout 30m ./...

.PHONY: wires
wires: ## Messages between nodes, and attacks on them, without the race detector
	$(GO) test -count=1 -timeout 10m ./cluster/proto

.PHONY: research
research: ## Evaluations on public data and their pictures: a module of its own
	cd bench/research && $(GO) vet ./... && $(GO) test -short ./...

.PHONY: peers
peers: ## Every peer of the benchmarks makes the people that the engine makes: a module of its own
	cd bench/peers && $(GO) vet ./... && $(GO) test ./...

.PHONY: properties
properties: ## Same events, same people; the table of phone numbers is the library: fixed and fresh seeds, printed
	$(GO) test -count=1 -v -timeout 60m -run 'SameEvents|Schedules|Property|Prop' ./graph ./graph/identifier ./actors/... ./cluster/... 2>&1 | { grep -vE '^(=== |    --- PASS)' || true; }

.PHONY: mutants
mutants: ## Break each rule of the protocol on purpose: the simulator must find every one
	$(GO) test -count=1 -run '^TestMutants$$' -timeout 40m -v ./actors/shard ./actors/feed ./cluster 2>&1 | { grep -vE '^ *=== ' || true; }

.PHONY: kill
kill: build ## kill -9 at 50 random moments of an ingest, from a file and over HTTP
	KINDRED_BIN=$(CURDIR)/$(BIN) $(GO) test -count=1 -run TestKill -v -timeout 20m ./cmd/kindred

.PHONY: scale
scale: build ## A million events of 100,000 people: the export equals the truth
	KINDRED_BIN=$(CURDIR)/$(BIN) $(GO) test -count=1 -run TestScale -v -timeout 20m ./cmd/kindred

.PHONY: memory
memory: build ## Millions of visitors by file, HTTP and Kafka: what is resident is within 1.1 times --memory
	KINDRED_BIN=$(CURDIR)/$(BIN) $(GO) test -count=1 -run TestMemory -v -timeout 40m ./cmd/kindred

.PHONY: kafka
kafka: ## Fetch Apache Kafka with Maven, for tests against a real broker (needs Java 17)
	@mkdir -p .kafka
	mvn -q -B -f internal/testkit/kafkatest/pom.xml dependency:build-classpath -Dmdep.outputFile=$(CURDIR)/.kafka/classpath
	@touch .kafka/classpath

.PHONY: kafka-test
kafka-test: build .kafka/classpath ## 200,000 events through Apache Kafka: equal to their truth, over kill -9 of server and broker
	KINDRED_BIN=$(CURDIR)/$(BIN) $(GO) test -count=1 -v -timeout 30m ./internal/testkit/kafkatest ./ingest/kafka ./cluster/kafka
	KINDRED_FAULTS=$(or $(FAULTS),20) KINDRED_BIN=$(CURDIR)/$(BIN) $(GO) test -count=1 -run 'TestKafka|TestCluster' -v -timeout 40m ./cmd/kindred

.PHONY: cluster-faults
cluster-faults: build .kafka/classpath ## Events to three nodes over FAULTS faults (20): killed, cut off, drained, an empty disk, a wrong clock, two versions; equal to one machine
	KINDRED_FAULTS=$(or $(FAULTS),20) KINDRED_BIN=$(CURDIR)/$(BIN) $(GO) test -count=1 -run 'TestClusterFaults$$' -v -timeout 60m ./cmd/kindred

.PHONY: kafka-scale
kafka-scale: build .kafka/classpath ## A million events through Apache Kafka, and again over 20 kill -9 of the server and five of the broker
	KINDRED_KAFKA_EVENTS=1000000 KINDRED_BIN=$(CURDIR)/$(BIN) $(GO) test -count=1 -run 'TestKafka(Killed)?$$' -v -timeout 40m ./cmd/kindred

.PHONY: kafka-up
kafka-up: .kafka/classpath ## Start a Kafka on loopback ports and print its brokers; NODES=3 for a cluster
	@$(GO) run ./internal/testkit/kafkatest/up -nodes $(or $(NODES),1)

.PHONY: kafka-down
kafka-down: ## Stop the Kafka of kafka-up
	@$(GO) run ./internal/testkit/kafkatest/up -down

.kafka/classpath: internal/testkit/kafkatest/pom.xml
	@$(MAKE) --no-print-directory kafka

.PHONY: clients
clients: .clients/installed ## The tracking libraries of other vendors against a server, in quiet and through faults; needs Node, Python, Chromium
	$(GO) test -count=1 -v -timeout 10m ./internal/testkit/clients 2>&1 | { grep -vE '^ *=== ' || true; }

CLIENTS := internal/testkit/clients
.clients/installed: $(CLIENTS)/node/package-lock.json $(CLIENTS)/python/requirements.txt
	@mkdir -p .clients/node
	cp $(CLIENTS)/node/package.json $(CLIENTS)/node/package-lock.json .clients/node/
	@if command -v npm >/dev/null; then (set -x; cd .clients/node && npm ci --ignore-scripts --no-audit --no-fund); else echo "no npm: the libraries for JavaScript are skipped"; fi
	@if command -v python3 >/dev/null; then (set -x; python3 -m venv .clients/python && .clients/python/bin/pip install -q -r $(CLIENTS)/python/requirements.txt); else echo "no python3: the libraries for Python are skipped"; fi
	@touch $@

.PHONY: typescript
typescript: ## The TypeScript client: its types made of api/openapi.json, compiled, its examples run; needs Node
	cd api/client/typescript && npm ci --ignore-scripts --no-audit --no-fund && npm run build
	$(GO) test -count=1 -run TestTypeScriptExamples ./internal/testkit/contract

.PHONY: console-test
console-test: ## The console in a real Chromium: its types, both languages, mouse and keyboard, axe; needs Node and Chromium. PICTURES a folder for screenshots
	cd console/test && npm ci --ignore-scripts --no-audit --no-fund && npm run types
	KINDRED_PICTURES=$(PICTURES) $(GO) test -count=1 -v -run TestConsole ./internal/testkit/browser

.PHONY: schemathesis
schemathesis: .clients/schemathesis-installed ## Requests made of the OpenAPI document against a server; needs Python. EXAMPLES a route (30)
	$(GO) test -count=1 -v -timeout 60m -run TestSchemathesis ./internal/testkit/contract

.clients/schemathesis-installed: internal/testkit/contract/requirements.txt
	python3 -m venv .clients/schemathesis && .clients/schemathesis/bin/pip install -q -r $<
	@touch $@

.PHONY: fuzz
fuzz: ## Every fuzz target, FUZZTIME times (20000x) or for a time (30s)
	@.ci/fuzz $(FUZZTIME)

.PHONY: fmt
fmt: ## Format
	$(GO) run $(LINT) fmt ./...

.PHONY: lint
lint: ## staticcheck and golangci-lint, pinned
	$(GO) run $(STATICCHECK) ./...
	$(GO) run $(LINT) run ./...
	cd bench/research && $(GO) run $(STATICCHECK) ./...
	cd bench/peers && $(GO) run $(STATICCHECK) ./...
	cd console/build && $(GO) run $(STATICCHECK) ./...

.PHONY: bench
bench: ## Benchmarks of the hot path, with allocations
	$(GO) test -run '^$$' -bench . -benchmem ./bench ./bench/layer ./graph ./ingest

.PHONY: bench-once
bench-once: ## Every benchmark of the engine once, so that none breaks unnoticed
	$(GO) test -run '^$$' -bench . -benchtime 1x ./bench ./bench/layer ./graph/... ./ingest/... ./actors/... ./api/... ./storage/row ./storage/dedupe >/dev/null

.PHONY: bench-gate
bench-gate: ## Fail if a layer got slower or allocates; BASE names the commit to compare with
	$(GO) test -count=1 ./bench/gate
	$(GO) run ./bench/gate $(if $(BASE),-base "$(BASE)")

.PHONY: bench-compare
bench-compare: build ## The engine against a plain in-memory resolver over the same bytes
	$(BIN) bench

.PHONY: bench-all
bench-all: build ## The engine beside PostgreSQL, Redis, SQLite and Pebble; writes bench/RESULTS.md. BENCH_ALL has more flags
	cd bench/peers && $(GO) run . --commit "$$(git describe --always --dirty)" $(BENCH_ALL)

.PHONY: bench-kafka
bench-kafka: build .kafka/classpath ## Ingest from Apache Kafka against ingest from memory; BENCH_KAFKA has more flags
	@brokers=$$($(GO) run ./internal/testkit/kafkatest/up -dir .kafka/bench); \
	trap '$(GO) run ./internal/testkit/kafkatest/up -dir .kafka/bench -down' EXIT; \
	$(BIN) bench kafka --kafka-brokers "$$brokers" --output table $(BENCH_KAFKA)

.PHONY: bench-cluster
bench-cluster: build .kafka/classpath ## Three nodes beside one process: processor time, hand-over, fail-over. BENCH_CLUSTER has more flags
	@brokers=$$($(GO) run ./internal/testkit/kafkatest/up -dir .kafka/bench -nodes 3); \
	trap '$(GO) run ./internal/testkit/kafkatest/up -dir .kafka/bench -down' EXIT; \
	$(BIN) bench cluster --journal-brokers "$$brokers" --output table $(BENCH_CLUSTER)

.PHONY: scores
scores: ## How well scores forecast, on public data, beside the reference: fails where a figure is worse
	cd bench/research && $(GO) test -count=1 -v -run 'CLVOnCDNOW|ReducedLines|RedeemedCampaigns' ./eval 2>&1 | { grep -vE '^(=== |--- PASS|    --- PASS)' || true; }

.PHONY: plots
plots: ## Draw the pictures of docs/scores/ from the public data; PLOTS_DATA names their folder
	cd bench/research && $(GO) run ./plots $(if $(PLOTS_DATA),-data "$(PLOTS_DATA)")

.PHONY: house
house: ## How easy the source is to enter: files an event passes, sizes, comments, imports; HOUSE=-detail lists what is counted
	$(GO) run ./internal/testkit/house $(HOUSE)

.PHONY: generate
generate: ## Regenerate what is generated
	$(GO) generate ./...

.PHONY: golden
golden: ## Rewrite the golden files of the command-line tests
	$(GO) test ./cmd/kindred -run Script -update

.PHONY: verify
verify: ## Format, vet, lint, short fuzz, and that generating changes nothing
	@test -z "$$(gofmt -l $$(git ls-files '*.go'))" || { gofmt -l $$(git ls-files '*.go'); echo "make fmt"; exit 1; }
	$(GO) vet ./...
	$(GO) mod verify
	.ci/hooks/test-commit-msg
	$(MAKE) lint
	$(MAKE) fuzz FUZZTIME=3000x
	$(MAKE) bench-once
	$(MAKE) generate
	@git diff --exit-code -- . || { echo "generating changed files: commit them"; exit 1; }
