//! The command line as a user has it: the README's own examples, and the cases in tests/cli.

#[test]
fn what_the_readme_shows_is_what_users_get() {
    trycmd::TestCases::new().case("README.md").case("tests/cli/*.trycmd");
}
