//! Which keys name a secret, and which values are one: a variable, a template tag or a placeholder is not.

use super::pattern::Pattern;

/// Endings of keys that speak about a secret and do not hold one.
const ABOUT: &[&str] = &[
    "file",
    "path",
    "dir",
    "name",
    "header",
    "length",
    "len",
    "size",
    "bytes",
    "seconds",
    "age",
    "timeout",
    "expires",
    "expiry",
    "expire",
    "ttl",
    "lifetime",
    "validators",
    "hashers",
    "type",
    "enabled",
    "required",
    "policy",
    "url",
    "uri",
    "endpoint",
    "field",
    "algorithm",
    "tokens",
    "encryption",
    "class",
    "form",
    "view",
    "template",
];

const NOTHING: &[&str] = &[
    "none",
    "nil",
    "null",
    "true",
    "false",
    "yes",
    "no",
    "on",
    "off",
    "undefined",
    "~",
    "str",
    "string",
    "|",
    ">",
    "|-",
    ">-",
    "|+",
    ">+",
    "\\",
    "{",
    "[",
    "(",
];

static VARIABLE: Pattern = Pattern::new(
    r#"^(?:\$\{?[A-Za-z_][A-Za-z0-9_.]*\}?|\$\(.*\)|`.*`|%\([A-Za-z0-9_.]+\)s?|%[A-Za-z_]+%|#\{.*\}|<%.*%>|\{\{.*\}\}|\{[A-Za-z0-9_.]*(?:\[['"\\]*[A-Za-z0-9_.-]*['"\\]*\]|\([A-Za-z0-9_.'"\\\[\]]*\))*(?:![rs])?\}|\{%.*%\}|<[A-Za-z][A-Za-z0-9_ .-]*>|@\(.*\)|\[[A-Z_ ]+\])$"#,
);

static HEAD: Pattern = Pattern::new(
    r"^[!(]*(?:os|environ|env|getenv|config|settings|decouple|node|ENV|data_bag_item|data_bag|Chef|params|request|self|app|current_app|cfg|conf|search|lookup|vault|secrets|SecureRandom|random|getpass|input|open|File|IO|args|options|opts|new_resource|lambda|get_[a-z_]+|django|credentials|kwargs)\s*[.\[(:]",
);

static PATH: Pattern =
    Pattern::new(r"^(?:[~.]{0,2}(?:/[A-Za-z0-9_.-]+){2,}|[A-Za-z0-9_./~-]+\.(?:pem|key|json|crt|p12|ya?ml|txt|env))$");

/// Whether a key that contains a secret's word really holds one.
pub(super) fn holds_secret(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    let last = key.rsplit(['_', '-', '.']).next().unwrap_or("");
    if key.contains("tokeniz") || matches!(key.as_str(), "pwd" | "oldpwd") {
        return false;
    }
    // `cache_bypass`, and words that end in these letters by chance.
    let by_chance = ["bypass", "compass", "trespass", "surpass", "overpass", "underpass"];
    if by_chance.iter().any(|word| last.ends_with(word)) || last.ends_with("pw") && !matches!(last, "pw" | "dbpw") {
        return false;
    }
    if matches!(key.as_str(), "proxy_pass" | "uwsgi_pass" | "fastcgi_pass" | "scgi_pass" | "grpc_pass") {
        return false;
    }
    !ABOUT.contains(&last)
}

/// Whether `value` only stands for a secret: empty, a variable, a template tag, an elision.
pub(super) fn is_placeholder(value: &str) -> bool {
    if value.len() > 512 {
        return false;
    }
    let value = value.trim().trim_end_matches([',', ';']).trim_matches(['"', '\'']);
    value.is_empty()
        || NOTHING.contains(&value.to_ascii_lowercase().trim_end_matches([')', ']', '}']))
        || value
            .chars()
            .all(|character| matches!(character, '*' | '.' | '\u{2026}' | '?' | '-' | '_' | '\u{1f}' | ')' | '}' | ']'))
        || value.chars().all(|character| matches!(character, 'x' | 'X'))
        || VARIABLE.is_match(value)
}

/// Whether a bare value is an expression that fetches the secret from elsewhere.
pub(super) fn is_lookup(value: &str) -> bool {
    HEAD.is_match(value)
}

/// Whether a value is a path: a key's file, not the key.
pub(super) fn is_path(value: &str) -> bool {
    value.len() <= 128 && PATH.is_match(value.trim_end_matches([';', ',']))
}

/// Whether a literal is itself the name of a secret, as in `password=db_password`.
pub(super) fn is_name_of_secret(literal: &str) -> bool {
    literal.bytes().all(|byte| byte.is_ascii_lowercase() || matches!(byte, b'_' | b'.'))
        && ["password", "passwd", "secret", "token", "_key", "credential"].iter().any(|word| literal.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_compile() {
        assert!(VARIABLE.compiles() && HEAD.compiles() && PATH.compiles());
    }

    #[test]
    fn keys() {
        for key in ["DB_PASSWORD", "db_pass", "pass", "secret_key", "apiKey", "PGPASSWORD", "aws_access_key_id"] {
            assert!(holds_secret(key), "{key}");
        }
        for key in
            ["password_file", "uwsgi_pass", "proxy_cache_bypass", "PWD", "max_tokens", "TOKEN_TTL", "csrf_header_name"]
        {
            assert!(!holds_secret(key), "{key}");
        }
    }

    #[test]
    fn values() {
        for value in [
            "",
            "$PW",
            "${PW}",
            "<%= node['x'] %>",
            "{{ pw }}",
            "#{pw}",
            "%(pw)s",
            "None",
            "nil,",
            "***",
            "<your password>",
            "{os.environ['PW']}",
            "{quote_plus(settings[\"db\"].pw)!s}",
        ] {
            assert!(is_placeholder(value), "{value}");
        }
        for value in ["hunter2", "$ecret!", "p{{x", "xxy", "{env('PW', 'hunter2')}"] {
            assert!(!is_placeholder(value), "{value}");
        }
        assert!(is_lookup("os.environ['X']") && is_lookup("node['x']['y']") && !is_lookup("hunter2"));
        assert!(is_path("/etc/ssl/private/a.key") && !is_path("hunter2"));
    }
}
