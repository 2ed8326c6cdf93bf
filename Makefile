# One command for each job. `make` alone lists them.
#
# make install honours DESTDIR and libdir, touches no file in pam.d and starts nothing.

SHELL      := /bin/bash
.SHELLFLAGS := -euo pipefail -c
MULTIARCH  := $(shell gcc -print-multiarch 2>/dev/null || echo $$(uname -m)-linux-gnu)
PREFIX     ?= /usr
prefix     ?= $(PREFIX)
libdir     ?= $(prefix)/lib/$(MULTIARCH)
sysconfdir ?= /etc
CARGO      ?= cargo
export CARGO_TERM_PROGRESS_WHEN ?= never

# What Debian 12 lacks beside Rust, git and make. Building: C compiler (SQLite), PAM and kernel headers, libclang
# (camera bindings), pip (ONNX Runtime). Testing: a bus, a PAM host that needs no root, a leak checker.
BUILD_PACKAGES := gcc libc6-dev libpam0g-dev libclang-dev python3-minimal python3-pip
TEST_PACKAGES  := dbus systemd apparmor libpam-wrapper pamtester util-linux valgrind binutils python3-dbusmock
# Fuzzing: libFuzzer and the linker that knows it.
FUZZ_PACKAGES  := clang libclang-rt-dev g++
# The guest with a real kernel camera: its kernel's source and what builds it.
CAMERA_PACKAGES := linux-source flex bison bc libelf-dev libssl-dev xz-utils kmod cpio make python3 mmdebstrap
# The machine with real hosts: a Debian root and what boots it.
HOSTS_PACKAGES := mmdebstrap systemd-container util-linux procps python3

# The studio's page in a real browser.
PAGE_PACKAGES := chromium fonts-dejavu-core

# Measuring: decoding for the comparison with MediaPipe, processor binding, a password hash.
BENCH_PACKAGES := ffmpeg util-linux openssl python3-venv

RUNTIME := target/runtime/libonnxruntime.so.1.31.1

.PHONY: help
help:
	@echo 'make build      posectl, pose-helperd, pam_pose.so and the runtime, in target/'
	@echo 'make demo       enrols rendered people and logs in (or not) through the real module; no camera, no root'
	@echo 'make test       all tests that need no camera; those that need root are skipped without it'
	@echo 'make test-hosts    sudo, lockers, greeters and more in a Debian of their own: the table host × case; needs root'
	@echo 'make test-camera   pictures and logins through a real kernel and a simulated webcam; needs root, no camera'
	@echo 'make soak       50 logins in a row on that camera (LOGINS=N), each with another rendered repetition'
	@echo 'make test-page     the page of posectl studio in a real browser; pictures of it in target/page'
	@echo 'make test-sanitised   the module under AddressSanitizer'
	@echo 'make fuzz       every reader of outside bytes, SECONDS=600 each; a finding fails'
	@echo 'make faults     two hundred kills of the daemon, full disks, clock jumps; about an hour'
	@echo 'make flood      64 hostile clients for a minute, a login in between'
	@echo 'make lint       formatting, clippy, licences and sources of dependencies'
	@echo 'make bench      time, memory and growth of logins, beside MediaPipe; twenty minutes, JSON and plots in target/bench'
	@echo 'make eval       error rates, intervals and plots in target/eval; DATA=FILE for recordings of your own'
	@echo 'make eval-challenges   which challenge movements are seen on the shipped recordings, and acceptance by delay;'
	@echo '                CLIPS=FOLDER for further rendered ones'
	@echo 'make pad        presents 450 attacks made from the recordings to the whole pipeline: report and plot in target/pad'
	@echo 'make people     renders a clip of a person who does not exist (downloads its assets)'
	@echo 'make install    copies into $(prefix) and $(sysconfdir); touches no pam.d file'
	@echo 'make uninstall  takes that away again, pam_pose.so out of every pam.d file first'
	@echo 'make deb        a Debian package in target/'
	@echo 'make test-deb   installs that package in a Debian root, enables, removes and purges it; needs root and a mirror'

.PHONY: build
build: packages-build $(RUNTIME)
	$(CARGO) build --locked --release -p posectl -p pose-helperd
	# On its own: built together with the others, cargo would unite features and change the module.
	$(CARGO) build --locked --release -p pam-module
	# Man pages and completions come from the program itself.
	target/release/posectl man target/man
	mkdir -p target/completions
	target/release/posectl completions bash > target/completions/posectl.bash
	target/release/posectl completions zsh > target/completions/_posectl
	target/release/posectl completions fish > target/completions/posectl.fish
	@ls -l target/release/posectl target/release/pose-helperd target/release/libpam_pose.so

$(RUNTIME): models/get_runtime.sh
	models/get_runtime.sh target/runtime
	@touch $@

.PHONY: packages-build packages-test packages-camera packages-hosts packages-bench packages-fuzz packages-page
packages-build:
	@scripts/packages $(BUILD_PACKAGES)
packages-test:
	@scripts/packages $(BUILD_PACKAGES) $(TEST_PACKAGES)
packages-bench:
	@scripts/packages $(BUILD_PACKAGES) $(TEST_PACKAGES) $(BENCH_PACKAGES)
# QEMU only where it is used; without it user-mode Linux takes its place.
packages-camera:
	@scripts/packages $(BUILD_PACKAGES) $(CAMERA_PACKAGES)
	@scripts/packages $$(tests/camera/which-guest packages) || [ -z "$${POSE_GUEST:-}" ]
packages-hosts:
	@scripts/packages $(HOSTS_PACKAGES)
packages-page:
	@scripts/packages $(BUILD_PACKAGES) $(PAGE_PACKAGES)
packages-fuzz:
	@scripts/packages $(BUILD_PACKAGES) $(FUZZ_PACKAGES)

.PHONY: demo
demo: packages-test build
	$(CARGO) build --locked --release -p pose-system-tests --bins
	target/release/pose-demo

.PHONY: test
test: packages-test build
	# The module's tests run the file that is shipped.
	PAM_POSE_MODULE=$(CURDIR)/target/release/libpam_pose.so $(CARGO) test --locked --workspace
	-@[ "$$(id -u)" -ne 0 ] || { scripts/packages $(HOSTS_PACKAGES) $(CAMERA_PACKAGES); scripts/packages $$(tests/camera/which-guest packages); }
	# The two that every machine has; the whole table takes long: make test-hosts.
	tests/hosts/run --where-possible sudo su
	tests/camera/run --where-possible

# The first time a Debian root is made and kept in ~/.cache/pam_pose (four minutes, a Debian mirror).
.PHONY: test-hosts
test-hosts: packages-hosts build
	tests/hosts/run $(HOSTS)

# Fifteen minutes more the first time: the guest's kernel and a Debian root are made and kept in ~/.cache/pam_pose.
.PHONY: test-camera soak
test-camera: packages-camera build
	tests/camera/run

soak: packages-camera build
	@scripts/packages ffmpeg
	tests/camera/soak $(LOGINS)

.PHONY: test-page
test-page: packages-page $(RUNTIME)
	POSE_SHOTS=$(CURDIR)/target/page $(CARGO) test --locked -p pose-studio --test browser -- --nocapture

SECONDS := 600
.PHONY: fuzz
fuzz: packages-fuzz
	fuzz/run $(SECONDS)

# The sanitiser's switch is the one thing here that is not stable: see the script.
.PHONY: test-sanitised
test-sanitised: packages-test
	tests/module/run-sanitised.sh

# Two hundred kills of the whole daemon, fifty in each of logins, enrolments, lock-outs and rotations: about an hour.
.PHONY: faults
faults: packages-test build
	POSE_KILLS=50 $(CARGO) test --locked -p pose-system-tests --test faults

.PHONY: flood
flood: packages-test $(RUNTIME)
	POSE_FLOOD_SECONDS=60 $(CARGO) test --locked -p pose-helperd --test flood -- --nocapture

.PHONY: lint
lint: packages-test
	$(CARGO) fmt --all --check
	$(CARGO) clippy --locked --workspace --all-targets -- -D warnings
	scripts/cargo-deny check licenses bans sources
	scripts/cargo-deny --manifest-path fuzz/Cargo.toml --config deny.toml check licenses bans sources

.PHONY: bench
bench: packages-bench build
	@command -v npm >/dev/null || scripts/packages npm
	$(CARGO) build --locked --release -p pose-bench
	$(CARGO) build --locked --release -p pose-vision --example track_rgb
	tests/bench/run $(SECTIONS)

.PHONY: eval
eval: build
	scripts/evaluate target/release/posectl target/eval $(DATA)

.PHONY: eval-challenges
eval-challenges: build
	tests/challenges/run target/challenges $(CLIPS)

# Half an hour of one core; PAD="--per-species 60" for narrower intervals.
.PHONY: pad
pad: build
	$(CARGO) build --locked --release -p pose-pad
	target/release/pose-pad --out target/pad $(PAD)

.PHONY: people
people:
	tests/people/run-smoke-test

.PHONY: install uninstall
install uninstall:
	@DESTDIR='$(DESTDIR)' prefix='$(prefix)' libdir='$(libdir)' sysconfdir='$(sysconfdir)' scripts/$@

.PHONY: deb test-deb
deb: build
	packaging/deb

test-deb: deb
	@scripts/packages mmdebstrap
	tests/packaging/run target/pam-pose_*.deb

.PHONY: clean
clean:
	$(CARGO) clean
