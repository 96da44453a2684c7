# `make test` is all a newcomer needs; `make check` is what CI runs.

.PHONY: test check packages clean-tree fuzz

test: packages
	cargo test --locked

check: packages
	cargo fmt --check
	cargo clippy --locked --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --locked --no-deps --document-private-items
	$(MAKE) test
	$(MAKE) clean-tree

packages:
	tests/packages.sh

clean-tree:
	@test -z "$$(git status --porcelain)" || { git status --short; echo "the tests changed the tree"; exit 1; }

# For as long as you like, and not part of the checks: fuzz/README.md.
SECONDS = 600
TARGETS = nginx uwsgi upstart systemd dockerfile plain template ruby python log page recording lint

fuzz:
	fuzz/seeds.py
	cd fuzz && RUSTC_BOOTSTRAP=1 cargo fuzz build
	cd fuzz && for target in $(TARGETS); do \
		dictionary=$$(ls dictionaries/$$target.dict 2>/dev/null); \
		RUSTC_BOOTSTRAP=1 cargo fuzz run $$target -- -max_total_time=$(SECONDS) -rss_limit_mb=2048 -timeout=20 \
			$${dictionary:+-dict=$$dictionary} || exit 1; \
	done
