# SPDX-License-Identifier: GPL-2.0

# `make help` lists what there is.

prefix ?= /usr/local
KDIR ?= /lib/modules/$(shell uname -r)/build

# Tools run in bare initramfs images: static, and for a target of their own so that build scripts aren't.
TARGET := x86_64-unknown-linux-gnu
TARGET_DIR := $(or $(CARGO_TARGET_DIR),$(CURDIR)/userland/target)
export XCAP_TOOLS := $(TARGET_DIR)/$(TARGET)/release
CARGO := cd userland && RUSTFLAGS='-C target-feature=+crt-static' cargo
BUILD := $(CARGO) build --quiet --locked --release --target $(TARGET)
TEST := $(CARGO) test --quiet --locked --target $(TARGET)
# What is built: all programs, or those that the lab needs. Packages that are named change the features of others'
# crates, which are built anew then.
PROGRAMS ?= -p xcap-lab -p xcap-guest -p xcap-read -p xcap-doctor -p xcap-frames
# FEATURES=libpcap: xcap-recv --way libpcap.
WITH := $(if $(FEATURES),--features $(FEATURES:%=xcap-frames/%))
LAB := $(XCAP_TOOLS)/xcap-lab
PLUGINS := lines returns
# $(call emulator_plugin,NAME): QEMU loads it, so it can't be static as the tools are.
emulator_plugin = (cd userland && RUSTFLAGS= cargo rustc --quiet --locked --release -p xcap-$(1)-qemu --lib --crate-type cdylib) && \
	install -m 755 '$(TARGET_DIR)/release/libxcap_$(1)_qemu.so' '$(XCAP_TOOLS)'
AT_ONCE := $(MAKE) --no-print-directory --jobs

.PHONY: module modules rust-metadata tools install uninstall deb repo check check-userland check-module test test-all lab \
	trials costs study demo plugin bench silicon stress try-packages paper sweep overhead man completions docs host clean help

module modules:
	@scripts/check-headers '$(KDIR)'
	$(MAKE) -C '$(KDIR)' M='$(CURDIR)' RUSTC="$$(scripts/find-rustc '$(KDIR)')" modules

rust-metadata:
	@scripts/graft-metadata '$(KDIR)'

host:
	@scripts/host-packages

tools: host
	@scripts/cargo-cache take '$(TARGET_DIR)'
	@echo 'building the tools' >&2
	@$(BUILD) $(PROGRAMS) $(WITH)
	@$(call emulator_plugin,wire)

# What `make tools` and `make` have built, and no more: root needs no compiler.
install uninstall:
	@DESTDIR='$(DESTDIR)' prefix='$(prefix)' scripts/$@ '$(XCAP_TOOLS)'

deb: export PROGRAMS :=
deb: tools
	@$(LAB) deb

repo:
	@[ -x '$(LAB)' ] || $(MAKE) --no-print-directory tools
	@$(LAB) repo

demo: tools
	@$(LAB) demo

check: tools
	@$(AT_ONCE) check-userland check-module

check-userland:
	@echo 'checking userland' >&2
	@$(CARGO) fmt --check
	@if cargo clippy --version >/dev/null 2>&1; then \
		$(CARGO) clippy --quiet --locked --target $(TARGET) --all-targets -- -D warnings; \
	else echo 'no cargo clippy here: lints left out' >&2; fi
	@if cargo deny --version >/dev/null 2>&1; then \
		cd userland && cargo deny --locked --log-level error check --hide-inclusion-graph licenses bans sources; \
	fi
	@$(TEST) $(WITH)

check-module:
	@$(LAB) module --format
	@$(LAB) module --clippy >/dev/null

test test-all: export PROGRAMS :=
test-all: export XCAP_ALL_TRIALS := yes
test test-all: tools plugin
	@$(AT_ONCE) check-userland check-module lab
	@scripts/cargo-cache keep '$(TARGET_DIR)'
	@$(AT_ONCE) trials costs study

# The parts of `make test`, for which all programs are built.
lab:
	@$(LAB) setup >/dev/null

trials:
	@$(TEST) --test trials -- --ignored

costs:
	@$(XCAP_TOOLS)/xcap-bench check

study:
	@scripts/host-packages browser
	@$(TEST) --test docs --test page --test perfetto --test prometheus --test vm --test waits -- --ignored

plugin: tools
	@$(foreach plugin,$(PLUGINS),$(call emulator_plugin,$(plugin)) &&) :

# Below SHARE, as /usr/share is laid out.
SHARE ?= $(TARGET_DIR)/share
man completions: host
	@$(BUILD) -p xcap-manual
	@$(XCAP_TOOLS)/xcap-manual $@ '$(SHARE)'

# A root of its own has mdBook.
docs: host
	@$(BUILD) -p xcap-docs
	@$(XCAP_TOOLS)/xcap-docs results/docs

bench: tools plugin
	@$(BUILD) -p xcap-bench
	@$(XCAP_TOOLS)/xcap-bench all

silicon: host
	@$(BUILD) -p xcap-bench
	@$(XCAP_TOOLS)/xcap-bench silicon --output results/silicon --document docs/benchmarks.md

stress: tools
	@$(BUILD) -p xcap-stress -p xcap-fentry
	@$(XCAP_TOOLS)/xcap-stress run

try-packages: export PROGRAMS :=
try-packages: tools
	@$(TEST) -p xcap-trials --test packages -- --ignored --nocapture --test-threads=2

# Runs of each kind: on the clock of instructions they differ by 1 to 2 %.
REPETITIONS ?= 3
paper: tools
	@$(BUILD) -p xcap-paper
	@$(XCAP_TOOLS)/xcap-paper run --repetitions $(REPETITIONS)
	@$(AT_ONCE) --keep-going sweep overhead; status=$$?; $(XCAP_TOOLS)/xcap-paper report && exit $$status

# The parts of `make paper` that come after the study: a machine each without Xen, and one with.
sweep:
	@$(XCAP_TOOLS)/xcap-paper sweep --marks 200

overhead:
	@$(XCAP_TOOLS)/xcap-paper overhead --no-knees --frames 300

clean:
	@rm -rf userland/target results dist
	@find . -path ./userland -prune -o \( -name '*.o' -o -name '*.ko' -o -name '*.mod' -o -name '*.mod.c' \
		-o -name '.*.cmd' -o -name '*.d' -o -name modules.order -o -name Module.symvers -o -name bindings_generated.rs \) \
		-type f -exec rm -f {} +

help:
	@echo 'make                 build xcap.ko for the running kernel, or KDIR='
	@echo 'make rust-metadata   add to a Debian kernel'"'"'s headers (KDIR=) what Rust modules need'
	@echo 'make install         install what make and make tools have built, under prefix=/usr/local'
	@echo 'make uninstall       remove that'
	@echo 'make deb             Debian packages, in dist/'
	@echo 'make repo            a signed apt repository of them, in dist/repo'
	@echo 'make demo            the lab: what each stage of capturing costs in dom0 and domU'
	@echo 'make check           formatting, lints, unit tests: seconds, no virtual machine'
	@echo 'make check-userland  of that, what concerns the programs'
	@echo 'make check-module    of that, what concerns the module'
	@echo 'make test            the same, and the tests in virtual machines'
	@echo 'make test-all        … in every place, by every backend, on every card'
	@echo 'make bench           what a probe costs, beside other tools'
	@echo 'make silicon         a hit in ticks of this processor: a minute, no root'
	@echo 'make stress          xcap under everything at once, on kernels that watch themselves: an hour'
	@echo 'make try-packages    the packages, from apt to a module in use, in machines: DKMS, the next'
	@echo '                     kernel, Xen, Secure Boot. Ten minutes with caches; root'
	@echo 'make paper           the whole study, and its report; REPETITIONS=3 of each run'
	@echo 'make tools           the userland programs, static, in userland/target/$(TARGET)/release'
	@echo '                     FEATURES=libpcap: with xcap-recv --way libpcap (libpcap-dev)'
	@echo 'make man             man pages, in userland/target/share/man, or below SHARE='
	@echo 'make completions     what bash, zsh and fish complete, beside them'
	@echo 'make docs            the documentation as a web page: results/docs/index.html'
	@echo 'make plugin          QEMU'"'"'s plugins that make test and make bench need, beside them'
	@echo 'make host            install what this machine lacks to build and run all that'
	@echo 'make clean           remove what was built here; the cache stays'
	@echo
	@echo 'KERNEL= chooses the lab'"'"'s kernel (a release, a suite, the path of a tree that'
	@echo 'you built), MIRROR= the Debian mirror.'
	@echo 'The lab is kept in $${XDG_CACHE_HOME:-~/.cache}/xcap.'
