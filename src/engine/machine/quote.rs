//! The words of an exception, cut to what a headline has room for.

/// The words of an exception, as far as a headline has room for them: how they begin and how they end. They are cut at blanks, so
/// that no secret is cut in two, which nothing would know again.
pub(super) fn quoted(words: &str) -> String {
    const HEAD: usize = 50;
    const TAIL: usize = 70;
    if words.chars().count() <= HEAD + TAIL {
        return format!("`{words}`");
    }
    let head = words[..words.floor_char_boundary(HEAD)].rfind(' ').map_or("", |end| &words[..end]);
    let from = words.ceil_char_boundary(words.len().saturating_sub(TAIL));
    let tail = words[from..].find(' ').map_or("", |start| &words[from + start..]);
    format!("`{head} …{tail}`")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ends_stay_and_no_word_is_cut() {
        assert_eq!(quoted("KeyError: 'X'"), "`KeyError: 'X'`");
        let long = "sqlalchemy.exc.OperationalError: (psycopg2.OperationalError) connection to server at \"127.0.0.1\", port 5432 \
                    failed: FATAL:  role \"idle\" is not permitted to log in";
        assert_eq!(
            quoted(long),
            "`sqlalchemy.exc.OperationalError: … port 5432 failed: FATAL:  role \"idle\" is not permitted to log in`"
        );
        let secret = format!("x postgresql://u:{}@h/d", "s".repeat(300));
        assert_eq!(quoted(&secret), "`x …`", "half of it would be known by nothing");
        let _ = quoted(&"\u{e9}".repeat(500));
    }
}
