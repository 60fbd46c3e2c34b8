# SPDX-License-Identifier: BSD-2-Clause
# What a C programmer's fingers expect. Meson and Ninja do the work, in $(BUILD).

BUILD    = build
PROGRAMS = programs
PREFIX   = /usr/local
ONLY     =
SHIFT    = 0
SECONDS  = 60
export SECONDS
export BUILD := $(abspath $(BUILD))

.PHONY: all run test test-unit test-asan test-house test-house-asan test-parity fuzz check format install clean help \
	bench bench-quick bench-programs

all: $(BUILD)/build.ninja                  ## build the programs: build/postern, build/posternctl, helpers
	ninja -C $(BUILD) $(PROGRAMS)

$(BUILD)/build.ninja:
	@command -v meson ninja >/dev/null || { echo "meson or ninja is missing: tools/install-deps build" >&2; exit 1; }
	meson setup $(BUILD) --prefix $(PREFIX)

run:                                       ## postern with real mail servers behind it; SHIFT=N adds N to the ports
	tools/install-deps build run
	@# A build that was set up before SQLite was there has to look for it again.
	@[ ! -e $(BUILD)/build.ninja ] || [ -e $(BUILD)/postern-auth-sqlite ] || meson setup --reconfigure $(BUILD)
	$(MAKE) all
	exec tools/mailroom --shift $(SHIFT)

test:                                      ## all tests
	tools/install-deps build libraries run test check
	@[ ! -e $(BUILD)/build.ninja ] || meson setup --reconfigure $(BUILD) >/dev/null
	exec tests/run-all

test-unit:                                 ## unit tests and transcripts; ONLY=NAME for one
	tests/run-all unit -k "$(ONLY)"

test-asan:                                 ## the same under AddressSanitizer and UBSan
	tests/run-all asan -k "$(ONLY)"

test-house:                                ## the whole program with real servers and clients; ONLY=EXPRESSION
	tests/run-all house -k "$(ONLY)"

test-house-asan:                           ## the same under the sanitizers
	tests/run-all house-asan -k "$(ONLY)"

test-parity:                               ## conversations with nginx and postern compared; ONLY=EXPRESSION
	tests/run-all parity -k "$(ONLY)"

fuzz:                                      ## each fuzzer for SECONDS=60; ONLY=NAME for one
	tests/run-all fuzz -k "$(ONLY)"

check:                                     ## layers, sizes, style
	tools/check-style

format:                                    ## clang-format, in place; FILES=... for some
	clang-format -i $(or $(FILES),$(shell git ls-files '*.c' '*.h'))

install: $(BUILD)/build.ninja              ## into PREFIX below DESTDIR
	meson configure $(BUILD) -Dprefix=$(PREFIX)
	ninja -C $(BUILD) $(PROGRAMS)
	meson install -C $(BUILD) --no-rebuild

bench: bench-programs                      ## measure beside the peers; CASE=PATTERN PEERS=NAMES BENCH="--json …"
	POSTERN=$(BUILD)/postern bench/bench.py --build $(BUILD) --case "$(CASE)" --peers "$(PEERS)" $(BENCH)

bench-quick: bench-programs                ## a minute of that, postern against nginx
	POSTERN=$(BUILD)/postern bench/bench.py --build $(BUILD) --case "$(CASE)" --peers "$(PEERS)" --quick $(BENCH)

bench-programs: all
	tools/install-deps build bench
	ninja -C $(BUILD) bench/load bench/stub

clean:                                     ## remove what was built
	rm -rf $(BUILD)

help:                                      ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 18
