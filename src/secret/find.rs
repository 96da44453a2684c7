//! Finds secrets by their shape: passwords in URLs, values of telling keys, headers, query strings, private keys.
//! Where the end of a secret is in doubt it takes more rather than less.

use std::ops::Range;

use super::pattern::Pattern;
use super::pem;
use super::value::{holds_secret, is_lookup, is_path, is_placeholder};

/// One secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    /// The bytes of the text.
    pub(super) span: Range<usize>,
    /// Whether it is a literal that may show up elsewhere too.
    pub(super) repeats: bool,
}

/// Only lines with one of these are looked at closely; most lines of most files have none.
static TRIGGER: Pattern = Pattern::new(
    r#"(?i)pass(?:w|phrase|["'\]\\]{0,3}[ \t]*[:=])|pwd|(?:\b|_|db)pw\b|secret|token|basicauth|[a-z]key|[_-]key|credential|://|authorization|cookie|-----BEGIN|A[KS]IA[A-Z0-9]|gh[pousr]_|glpat-|xox[abprs]-|[sr]k_live_|\b(?:mysql|mariadb|curl|sshpass|redis-cli)|--[a-z-]*pass[ \t]|eyJ[a-z0-9_-]+\.eyJ|(?:GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS) [^ ?]*\?|query_string|request_uri|:(?:[0-9]{2,5}|\*):[^: ]+:[^: ]+:"#,
);

static KEY: Pattern = Pattern::new(
    r"(?i)[a-z0-9_.-]*(?:passw(?:or)?d|passphrase|pwd|secret|token|credential|pass|pw\b|(?:api|access|private|encryption|signing|auth|master|fernet|jwt|hmac|django|flask)[_-]?key)[a-z0-9_.-]*",
);
static ASSIGNED: Pattern = Pattern::new(r#"^\\?["']?\]?[ \t]*(?:=>|:=|\|\|=|\?=|!=|={1,3}|:)[ \t]*"#);
static PARAM: Pattern = Pattern::new(
    r#"(?:^|[\s{;])(?:(?:[a-z]+_param|proxy_set_header|grpc_set_header|add_header|set|setenv|SetEnv)\s+|env[ \t]*=[ \t]*)["']?\$?$"#,
);
static GAP: Pattern = Pattern::new(r#"^["']?[ \t]+"#);
static LINE_HEAD: Pattern = Pattern::new(
    r#"^[\s#;/+-]*(?:(?:export|env|set|setenv|ENV|default|readonly|declare\s+-x)(?:\s*=\s*|\s+)|Environment\s*=\s*)?\$?$"#,
);
static FALLBACK: Pattern = Pattern::new(r#"(?:,|\|\||\bor\b)\s*(?:default\s*=\s*)?[bBuUrR]?["']"#);
static OPEN_END: Pattern = Pattern::new(r#"^\\?["']?\]?[ \t]*(?:=>|:=|=|:)[ \t]*[(\[\\]?[ \t]*$"#);
static BLOCK: Pattern = Pattern::new(r#"^["']?:[ \t]+[|>][+-]?[ \t]*$"#);
static BASIC: Pattern = Pattern::new(r"\bbasicauth(?:-next)?:[^,\s]*,[^:\s]+:([^\s,]+)");
static ELEMENT: Pattern = Pattern::new(r"<([A-Za-z0-9_.:-]+)(?:[ \t][^<>]*)?>([^<>]+)</");
static ATTRIBUTE: Pattern = Pattern::new(
    r#"(?i)\b(?:name|key)[ \t]*=[ \t]*["']([^"'<>]+)["'][^<>]{0,64}?[ \t]value[ \t]*=[ \t]*(?:"([^"]+)"|'([^']+)')"#,
);
static ARGUMENT: Pattern = Pattern::new(
    r#"(?:\b(?:mysql|mariadb)[a-z_-]*\b[^|;&]*?[ \t]-p|\bcurl\b[^|;&]*?[ \t](?:-u|-U|--user|--proxy-user)[ \t=]*["']?[^ \t:"'{<$]+:|\bsshpass[ \t]+-p[ \t]*|\bredis-cli\b[^|;&]*?[ \t]-a[ \t]+|[ \t]--[a-z-]*(?:pass|password|passwd|token|secret)[ \t]+)["']?([^ \t"']+)"#,
);
static QUOTED: Pattern = Pattern::new(r#"^[bBuUrRfF]{0,2}\\*["'`]"#);

static URL: Pattern = Pattern::new(r"[A-Za-z][A-Za-z0-9+.-]*://");
static PORT_ONLY: Pattern = Pattern::new(r"^[^:]*:[0-9]*$");
static HEADER: Pattern = Pattern::new(
    r#"(?i)(?:\b|_)(?:authorization|cookie|x-api-key)\\?["']?(?:[ \t]*(?::|=>)[ \t]*|[ \t]+(?:basic|bearer|digest|token)[ \t]|[ \t]+["'])|(?-i:HTTP_(?:AUTHORIZATION|COOKIE|X_API_KEY))["']?[ \t]*[=:][ \t]*"#,
);
static SCHEME: Pattern = Pattern::new(r"(?i)^(?:basic|bearer|digest|token|negotiate|apikey)[ \t]+");
static QUERY: Pattern = Pattern::new(
    r#"(?:\b(?:GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS) [^ ?"]*\?|\bQUERY_STRING["']?[=:] ?["']?|\bREQUEST_URI["']?[=:] ?["']?[^ ?"]*\?)([^ "']+)"#,
);
static LOGGED_URL: Pattern = Pattern::new(r#""[a-z]+://[^ ?"]*\?([^ "]+)"#);
static SHAPED: Pattern = Pattern::new(
    r"\bA[KS]IA[A-Z0-9]{16}\b|\bgh[pousr]_[A-Za-z0-9]{20,}|\bglpat-[A-Za-z0-9_-]{20,}|\bxox[abprs]-[A-Za-z0-9-]{10,}|\b[sr]k_live_[A-Za-z0-9]{10,}|\beyJ[A-Za-z0-9_-]+\.eyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*",
);
static PGPASS: Pattern = Pattern::new(r"^[A-Za-z0-9_.*/-]+:(?:[0-9]{2,5}|\*):[^:\s]+:[^:\s]+:(\S+)$");

/// Every secret of a text, in no particular order; spans may overlap.
pub(super) fn find(text: &str) -> Vec<Found> {
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(hit) = TRIGGER.find_at(text, from) {
        let start = text[..hit.start()].rfind('\n').map_or(0, |at| at + 1);
        let end = text[hit.start()..].find('\n').map_or(text.len(), |at| hit.start() + at);
        let line = text[start..end].trim_end_matches('\r');
        found.extend(
            in_line(line).into_iter().map(|one| Found { span: one.span.start + start..one.span.end + start, ..one }),
        );
        let next = (end + 1).min(text.len());
        let below = text[next..].split(['\n', '\r']).next().unwrap_or("");
        found.extend(
            continued(line, below)
                .into_iter()
                .map(|one| Found { span: one.span.start + next..one.span.end + next, ..one }),
        );
        from = end;
    }
    pem::private_keys(text, &mut found);
    found
}

/// Whether `key` as a whole names a secret.
pub(super) fn names(key: &str) -> bool {
    KEY.find_at(key, 0).is_some_and(|hit| holds_secret(hit.as_str()))
}

fn in_line(line: &str) -> Vec<Found> {
    let mut found = Vec::new();
    urls(line, &mut found);
    assignments(line, &mut found);
    headers(line, &mut found);
    let cut = |span: Range<usize>| Found { span, repeats: false };
    found.extend(QUERY.captures_iter(line).filter_map(|hit| hit.get(1)).map(|query| cut(query.range())));
    if QUERY.is_match(line) || line.contains(" HTTP/") || line.contains("referrer: ") {
        found.extend(LOGGED_URL.captures_iter(line).filter_map(|hit| hit.get(1)).map(|query| cut(query.range())));
    }
    found.extend(
        BASIC
            .captures_iter(line)
            .filter_map(|hit| hit.get(1))
            .filter(|password| !is_placeholder(password.as_str()))
            .map(|password| Found { span: password.range(), repeats: true }),
    );
    found.extend(elements(line));
    let arguments = ARGUMENT.captures_iter(line).filter_map(|hit| hit.get(1));
    found.extend(
        arguments
            .filter(|argument| !is_placeholder(argument.as_str()))
            .map(|argument| Found { span: argument.range(), repeats: true }),
    );
    found.extend(SHAPED.find_iter(line).map(|hit| Found { span: hit.range(), repeats: true }));
    found.extend(
        PGPASS
            .captures_iter(line)
            .filter_map(|hit| hit.get(1))
            .filter(|password| !is_placeholder(password.as_str()))
            .map(|password| Found { span: password.range(), repeats: true }),
    );
    found
}

/// `<password>…</password>`, and `key="password" value="…"`.
fn elements(line: &str) -> Vec<Found> {
    if !line.contains('<') && !line.contains("value") {
        return Vec::new();
    }
    let of_hit = |hit: regex::Captures<'_>| {
        let value = hit.get(2).or_else(|| hit.get(3))?;
        let is_secret = holds_secret(&hit[1]) && !is_placeholder(value.as_str());
        is_secret.then(|| Found { span: value.range(), repeats: true })
    };
    ELEMENT.captures_iter(line).chain(ATTRIBUTE.captures_iter(line)).filter_map(of_hit).collect()
}

/// The secret on the line below one that ends in `KEY =`, `KEY = (`, `"KEY":` or `KEY: >-`.
fn continued(line: &str, below: &str) -> Vec<Found> {
    let mut found = Vec::new();
    let Some(key) = KEY.find_iter(line).last().filter(|key| holds_secret(key.as_str())) else { return found };
    let after = &line[key.end()..];
    let block = BLOCK.is_match(after);
    let start = below.len() - below.trim_start().len();
    let quoted = OPEN_END.is_match(after) && QUOTED.is_match(&below[start..]);
    if !block && !quoted {
        return found;
    }
    let value = value_at(below, start, None, block);
    let behind = below[value.end..].trim_start_matches(['"', '\'', ' ', '\t']);
    // `'token': [` may well hold entries with keys of their own.
    if !behind.starts_with([':', '=']) {
        keep(below, value, key.as_str(), &mut found);
    }
    found
}

/// Passwords in `scheme://user:password@host`, also when they hold an unescaped `@`, `:`, `/` or `#`.
fn urls(line: &str, found: &mut Vec<Found>) {
    if !line.contains('@') {
        return;
    }
    let mut from = 0;
    for scheme in URL.find_iter(line) {
        if scheme.start() < from {
            continue;
        }
        let quote = line[..scheme.start()].chars().next_back().filter(|before| matches!(before, '"' | '\'' | '`'));
        let rest = &line[scheme.end()..line.floor_char_boundary(scheme.end() + 1024)];
        let end = rest
            .find(|character: char| match quote {
                Some(quote) => character == quote,
                None => character.is_whitespace() || matches!(character, '"' | '\'' | '`' | '>'),
            })
            .unwrap_or(rest.len());
        let token = templated_end(rest, end);
        let Some(at) = last_at_before_a_host(token) else { continue };
        let authority = token.split(['/', '?', '#']).next().unwrap_or("");
        // `http://host:8080/user@example` has no user: what precedes its first slash is a host and a port.
        if !authority.contains('@') && (!authority.contains(':') || PORT_ONLY.is_match(authority)) {
            continue;
        }
        // What follows in this token is hidden with it.
        from = scheme.end() + at;
        let user = &token[..at];
        let (name, password) = user.split_once(':').map_or((user, None), |(name, password)| (name, Some(password)));
        if name.len() >= 20 && !is_placeholder(name) {
            found.push(Found { span: scheme.end()..scheme.end() + name.len(), repeats: true });
        }
        let Some(password) = password.filter(|password| !is_placeholder(password)) else { continue };
        let start = scheme.end() + name.len() + 1;
        found.push(Found { span: start..start + password.len(), repeats: true });
    }
}

/// The token up to `end`, or further where `end` falls into a template tag, as in `<%= node['a'] %>`.
fn templated_end(rest: &str, end: usize) -> &str {
    let mut end = end;
    for (open, close) in [("<%", "%>"), ("{{", "}}"), ("#{", "}")] {
        while let Some(start) = rest[..end].rfind(open).filter(|start| !rest[*start..end].contains(close)) {
            let Some(length) = rest[start..].find(close) else { break };
            let after = start + length + close.len();
            end = rest[after..]
                .find(|character: char| character.is_whitespace() || matches!(character, '"' | '\'' | '`'))
                .map_or(rest.len(), |more| after + more);
        }
    }
    &rest[..end]
}

fn last_at_before_a_host(token: &str) -> Option<usize> {
    token.rmatch_indices('@').map(|(at, _)| at).find(|at| {
        token[at + 1..].starts_with(|next: char| next.is_alphanumeric() || "/[<{$%#\u{1f}?".contains(next))
            || at + 1 == token.len()
    })
}

/// Values of keys whose name says secret: `KEY=value`, `key: value`, `"key": "value"`, `x['key'] = 'value'`, `param KEY value`.
fn assignments(line: &str, found: &mut Vec<Found>) {
    let mut from = 0;
    while let Some(key) = KEY.find_at(line, from) {
        from = key.end();
        let (before, after) = (&line[..key.start()], &line[key.end()..]);
        if !holds_secret(key.as_str()) || before.ends_with('/') {
            continue;
        }
        let at_line_head = before.len() <= 256 && LINE_HEAD.is_match(before.trim_end_matches(['"', '\'']));
        let gap = match ASSIGNED.find(after) {
            Some(gap) if gap.as_str().ends_with(':') && after[gap.end()..].starts_with(':') => continue,
            Some(gap) => gap,
            None if PARAM.is_match(&before[before.ceil_char_boundary(before.len().saturating_sub(64))..]) => {
                match GAP.find(after) {
                    Some(gap) => gap,
                    None => continue,
                }
            }
            // `password 'x'`, a property of a Chef resource.
            None => match GAP.find(after).filter(|gap| after[gap.end()..].starts_with(['"', '\''])) {
                Some(gap) if at_line_head => gap,
                _ => continue,
            },
        };
        let start = key.end() + gap.end();
        let opened = before
            .chars()
            .next_back()
            .filter(|quote| matches!(quote, '"' | '\'') && !after.starts_with([*quote, '\\']));
        let value = value_at(line, start, opened, at_line_head);
        from = from.max(value.end);
        keep(line, value, key.as_str(), found);
    }
}

/// Where the value that begins at `start` ends: at its closing quote, at the quote opened before the key, at the end of
/// the line when the assignment is all there is on it, or at the next blank.
fn value_at(line: &str, start: usize, opened: Option<char>, at_line_head: bool) -> Range<usize> {
    let rest = &line[start..];
    if opened.is_none()
        && let Some(quoted) = QUOTED.find(rest)
        && let Some(end) = closing(rest, quoted.as_str(), quoted.end())
    {
        return start + quoted.end()..start + end;
    }
    let end = match opened {
        Some(quote) => rest.find(quote),
        None if at_line_head => None,
        None => rest.find(|character: char| character.is_whitespace() || matches!(character, '"' | '\'' | '`')),
    };
    let value = rest[..end.unwrap_or(rest.len())].trim_end();
    start..start + value.len()
}

/// The offset of the quote that closes the one at the end of `opening`, if the value ends there.
fn closing(rest: &str, opening: &str, from: usize) -> Option<usize> {
    let quote = opening.chars().next_back()?;
    let escaped = opening.contains('\\');
    let mut backslash = false;
    for (at, character) in rest[from..].char_indices() {
        let at = from + at;
        if character == quote && backslash == escaped {
            let end = if escaped { at - 1 } else { at };
            let next = rest[at + 1..].chars().next();
            let ends = next.is_none_or(|next| next.is_whitespace() || ",;)]}.:&+#|>\\\"'<%".contains(next))
                && next != Some(quote);
            return ends.then_some(end);
        }
        backslash = character == '\\' && !backslash;
    }
    None
}

fn keep(line: &str, value: Range<usize>, key: &str, found: &mut Vec<Found>) {
    let text = &line[value.clone()];
    if is_placeholder(text) || is_path(text) && !key.to_ascii_lowercase().contains("passw") {
        return;
    }
    let quoted = line[..value.start].ends_with(['"', '\'', '`']);
    if !quoted && is_lookup(text) {
        // `os.environ.get("SECRET_KEY", "the fallback")`
        for fallback in FALLBACK.find_iter(text) {
            let start = value.start + fallback.end() - 1;
            let inner = value_at(line, start, None, false);
            if !is_placeholder(&line[inner.clone()]) {
                found.push(Found { span: inner, repeats: true });
            }
        }
        return;
    }
    // A trailing comma or comment belongs to the language, not to the literal that stands elsewhere too.
    let bare = text.split(" #").next().unwrap_or(text).trim_end().trim_end_matches([',', ';', ')', '}', ']']);
    for literal in [bare, bare.split(['&', ',', ';']).next().unwrap_or(bare)] {
        let literal = literal.trim_matches(['"', '\'']);
        let start = value.start + text.find(literal).unwrap_or(0);
        found.push(Found {
            span: start..start + literal.len(),
            repeats: !literal.contains(['(', '[']) || !literal.contains(' '),
        });
    }
    let whole = value.start..value.start + text.trim_end_matches([',', ';']).len();
    found.push(Found { span: whole, repeats: true });
}

/// Values of Authorization and Cookie headers, to the closing quote or the end of the line.
fn headers(line: &str, found: &mut Vec<Found>) {
    let mut from = 0;
    for header in HEADER.find_iter(line) {
        if header.start() < from {
            continue;
        }
        let mut start = header.end();
        let mut rest = &line[start..];
        let quote = match header.as_str().chars().next_back() {
            Some(quote @ ('"' | '\'')) => Some(quote),
            _ => {
                let quote = rest.chars().next().filter(|first| matches!(first, '"' | '\''));
                start += quote.map_or(0, char::len_utf8);
                rest = &line[start..];
                quote.or(line[..header.start()].chars().next_back().filter(|before| matches!(before, '"' | '\'')))
            }
        };
        let scheme = SCHEME.find(rest).map_or(0, |scheme| scheme.end());
        let end = quote.and_then(|quote| rest.find(quote)).unwrap_or(rest.len());
        let Some(value) = rest.get(scheme..end) else { continue };
        if is_placeholder(value) || value.starts_with('$') || is_lookup(value) {
            continue;
        }
        let span = start + scheme..start + end;
        from = span.end;
        // A whole cookie header seldom repeats, a bearer token does.
        found.push(Found { span, repeats: scheme > 0 });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_compile() {
        for pattern in [
            &TRIGGER,
            &KEY,
            &ASSIGNED,
            &PARAM,
            &GAP,
            &LINE_HEAD,
            &FALLBACK,
            &OPEN_END,
            &BLOCK,
            &BASIC,
            &ELEMENT,
            &ATTRIBUTE,
            &ARGUMENT,
            &QUOTED,
            &URL,
            &PORT_ONLY,
            &HEADER,
            &SCHEME,
            &QUERY,
            &LOGGED_URL,
            &SHAPED,
            &PGPASS,
        ] {
            assert!(pattern.compiles());
        }
    }
}
