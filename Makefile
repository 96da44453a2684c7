# `make test` is all a newcomer needs; `make check` is what CI runs.

.PHONY: test check packages clean-tree

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
