# Latchkey: two commands, `make run` and `make test`, and what they are made of.
# Everything that a target needs and that is missing is installed or built first; the scripts are in .ci.

SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help setup run dev test fmt lint unit browser pictures bench soak release clean-data

SEEDS ?= 20000

help: ## Show this list
	@printf 'Latchkey. What can be made:\n\n'
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## Install or build everything that the other targets need
	@.ci/setup/all test

run: ## Build and serve the portal with its sample company and sandbox on http://127.0.0.1:3000
	@.ci/setup/all run
	@.ci/build trial
	@exec target/trial/latchkey trial

dev: ## The same from a development build, built again whenever a file changes
	@.ci/setup/all run
	@. .ci/lib.sh && exec cargo leptos watch -- trial

test: ## Everything: format, clippy, unit and property tests, both databases, HTTP, browser journeys
	@.ci/test all

fmt: ## Format the code
	@cargo fmt --all

lint: ## Format check and clippy, warnings as errors (and cargo-deny where it is installed)
	@.ci/test lint

unit: ## Tests without a browser, on SQLite and on a PostgreSQL of their own
	@.ci/test unit

browser: ## The journeys in Chromium, against the binary that `make run` starts
	@.ci/test browser

pictures: ## Take the pictures of README.md anew, from the running product
	@.ci/setup/all test
	@.ci/build trial
	@CHROMIUM=$$(.ci/setup/chromium) node_modules/.bin/playwright test -c end2end/pictures.config.ts

soak: ## The simulations with many more seeds: make soak SEEDS=20000
	@LATCHKEY_SEEDS=$(SEEDS) .ci/test soak

bench: ## Pages, actions and a storm of ends, on both databases: the figures of docs/performance.md
	@.ci/setup/all test
	@.ci/build release
	@.ci/bench

release: ## The binary to install: target/release/latchkey, everything inside
	@.ci/setup/all run
	@.ci/build release

clean-data: ## Forget the trial company's database, so that the next `make run` starts afresh
	@rm -rf var && echo 'The trial data are gone.'
