# make run    everything set up, the server started with demo data, its address and a sign-in link printed
# make test   everything set up, all tests run on SQLite and PostgreSQL and in a browser
# make check  the gate: formatting, vet, static checks, dead code, architecture, types, links
# make bench  Parley beside PostgreSQL and DuckDB (N=1m, or N=10m for the targets)

N ?= 1m
TOOL = go tool -modfile=tools.mod

.PHONY: build run test check bench assets vuln clean

build: bin/parley

assets: web/assets/dist/manifest.json

node_modules/.package-lock.json: package.json package-lock.json
	npm ci --no-audit --no-fund
	@touch $@

web/assets/dist/manifest.json: node_modules/.package-lock.json $(wildcard web/assets/src/*) $(wildcard web/template/*.html web/template/*/*.html) web/assets/build.mjs
	node web/assets/build.mjs

.PHONY: bin/parley
bin/parley: assets
	CGO_ENABLED=0 go build -trimpath -o bin/parley .

run: build
	./bin/parley serve --demo

test: assets
	script/test

check: assets
	script/check

bench:
	script/packages postgresql
	cd bench && go run . -n $(N)

# The database of vulnerabilities is fetched, so this needs the internet.
vuln:
	$(TOOL) govulncheck ./...

clean:
	rm -rf bin web/assets/dist/* node_modules
	touch web/assets/dist/.keep
