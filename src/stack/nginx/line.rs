//! Directives that show or allow more than they need to: TLS of old, a list of files, nginx's version.

use super::include::Statement;
use super::level::Level;
use super::survey::Rows;
use crate::rows;
use crate::stack::fact::Fact;

rows! {
    #[doc = "one directive of nginx that shows or allows more than it needs to; keyed by what: `listing`, `version`, `tls`"]
    pub struct Line in "nginx_lines" {
        #[doc = "the directive; absent where nginx's default does it"]
        directive: String,
        #[doc = "its value"]
        value: String,
        #[doc = "the protocols or ciphers in it that are weak"]
        weak: Vec<String>,
    }
}

/// Tells of one directive.
pub(super) fn of_line(statement: &Statement<'_>, rows: &mut Rows) {
    let Some(value) = statement.text(0) else { return };
    let (key, weak) = match statement.directive.name() {
        "autoindex" if value.eq_ignore_ascii_case("on") => ("listing", Vec::new()),
        "server_tokens" if value.eq_ignore_ascii_case("on") || value == "build" => ("version", Vec::new()),
        "ssl_protocols" => ("tls", weak_protocols(statement)),
        "ssl_ciphers" => ("tls", weak_ciphers(&value)),
        _ => return,
    };
    if key == "tls" && weak.is_empty() {
        return;
    }
    let mut row = Line::at(statement.place());
    row.key = key.to_owned();
    row.directive = Fact::read(statement.directive.name().to_owned(), statement.place());
    row.value = Fact::read(value.into_owned(), statement.place());
    row.weak = Fact::derived(weak);
    rows.add(row, None);
}

/// Tells of an `http` block that leaves nginx to show its version, which it does by default.
pub(super) fn of_http(level: &Level<'_, '_>, rows: &mut Rows) {
    let sets = level.statements.iter().any(|statement| statement.directive.is("server_tokens"));
    let Some(block) = level.block.filter(|_| level.whole && !sets) else { return };
    let mut row = Line::at(block.place());
    row.key = "version".to_owned();
    row.directive = Fact::absent();
    row.value = Fact::default_of("on".to_owned());
    row.weak = Fact::absent();
    rows.add(row, None);
}

fn weak_protocols(statement: &Statement<'_>) -> Vec<String> {
    let words = statement.directive.arguments().filter_map(|word| statement.known(word));
    words
        .filter(|word| matches!(&**word, "SSLv2" | "SSLv3" | "TLSv1" | "TLSv1.1"))
        .map(|word| word.into_owned())
        .collect()
}

/// The items of OpenSSL's cipher list that let weak ciphers in and that no `!` takes out again.
fn weak_ciphers(list: &str) -> Vec<String> {
    const WEAK: [&str; 11] = ["aNULL", "eNULL", "NULL", "EXP", "EXPORT", "LOW", "DES", "3DES", "RC4", "MD5", "ADH"];
    let items = || list.split([':', ',', ' ']).filter(|item| !item.is_empty());
    let banned: Vec<&str> = items().filter_map(|item| item.strip_prefix('!')).collect();
    let is_weak = |item: &&str| {
        let mut parts = item.split(['-', '+']);
        // `+` in front only moves what is in the list.
        !item.starts_with(['!', '-', '+', '@'])
            && parts.any(|part| is_weak_part(part) && !banned.contains(&family(part)))
    };
    fn family(part: &str) -> &str {
        match part {
            "CBC3" => "3DES",
            "EXPORT" => "EXP",
            part => part,
        }
    }
    fn is_weak_part(part: &str) -> bool {
        part == "CBC3" || WEAK.contains(&part)
    }
    items().filter(is_weak).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_banned_is_not_let_in() {
        assert_eq!(weak_ciphers("HIGH:!aNULL:!MD5"), Vec::<String>::new());
        assert_eq!(weak_ciphers("ECDHE-RSA-AES128-GCM-SHA256:RC4-SHA:DES-CBC3-SHA"), ["RC4-SHA", "DES-CBC3-SHA"]);
        assert_eq!(weak_ciphers("ALL:!ADH:!EXPORT56:RC4+RSA:+HIGH:+MEDIUM:+LOW"), ["RC4+RSA"]);
        assert_eq!(weak_ciphers("AES128-SHA:DES-CBC3-SHA:!DES:!3DES"), Vec::<String>::new());
    }
}
