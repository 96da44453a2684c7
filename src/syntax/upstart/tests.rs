//! What a mistake looks like to the one who made it: its place, and what to write.

use super::{Command, Dialect, parse, parse_with};

/// The place and the advice of each refusal.
fn advice(text: &str) -> Vec<(&str, String)> {
    parse(text).problems.into_iter().map(|problem| (problem.span.of(text), problem.hint.unwrap_or_default())).collect()
}

#[test]
fn mistakes_are_named_where_they_are_made() {
    let cases = [
        ("description Thena web app\n", "web app", "`description \"Thena web app\"`"),
        ("description Bob's app\nexec a\n", "'", "apostrophe"),
        ("env A = b\n", "= b", "no blanks around"),
        ("env A=1 B=2\n", "B=2", "one variable for each line"),
        ("env A=b c\n", "c", "needs quotes"),
        ("script\n true\nendscript\nsetuid x\n", "endscript", "`end script` alone"),
        ("user www-data\n", "user", "`setuid NAME`"),
        ("group www-data\n", "group", "`setgid NAME`"),
        ("limit nofile 1024\n", "", "`limit nofile 1024 1024`"),
        ("console logged\n", "logged", "`console log`"),
        ("kill signal int\n", "int", "`kill signal INT`"),
        ("exec uwsgi \\ \n  --ini x\n", "\\ ", "remove them"),
        ("start on (a\n\n  and b)\n", "", "no blank line"),
        ("start on (a\n  # x\n  and b)\n", "", "no line of comment"),
        ("prestart script\n a\nend script\n", "prestart", "`pre-start`"),
        ("DATABASE_URL=x\n", "DATABASE_URL=x", "`env DATABASE_URL=x`"),
    ];
    for (text, place, words) in cases {
        let found = advice(text);
        assert_eq!(found.len(), 1, "{text:?} gave {found:?}");
        assert_eq!(found[0].0, place, "{text:?}");
        assert!(found[0].1.contains(words), "{text:?} gave {:?}", found[0].1);
    }
}

#[test]
fn reading_goes_on_behind_each_mistake() {
    let text = "user x\nenv A=1\nscript true\n x\nend script\nexpect forks\nexec /bin/true\n";
    let parsed = parse(text);
    assert_eq!(parsed.problems.len(), 3);
    assert_eq!(parsed.tree.job.env[0].value, "A=1");
    assert!(matches!(parsed.tree.job.main(), Some(Command::Exec(command)) if command.value == "/bin/true"));
}

#[test]
fn a_script_without_its_end_is_still_a_script() {
    let parsed = parse("script\n exec uwsgi\nend\nsetuid app\n");
    assert_eq!(parsed.problems.len(), 1);
    assert_eq!(parsed.tree.job.main().map(|main| main.text().value.as_str()), Some(" exec uwsgi\n"));
    assert_eq!(parsed.tree.job.setuid.map(|user| user.value).as_deref(), Some("app"));
}

#[test]
fn a_template_tag_can_stand_for_anything() {
    let tag = "\u{1f}".repeat(6);
    for text in
        ["respawn limit T", "T", "kill signal T", "limit nofile T", "nice T", "expect T", "start T", "console T"]
    {
        let text = text.replace('T', &tag);
        let problems = parse(&text).problems;
        assert!(problems.is_empty() || text.starts_with("start"), "{text:?}: {problems:?}");
    }
}

#[test]
fn chrome_os_has_two_stanzas_more() {
    let text = "import BOARD\ntmpfiles /usr/lib/a.conf\n";
    assert_eq!(parse(text).problems.len(), 2);
    assert!(parse_with(text, Dialect::ChromeOs).problems.is_empty());
}
