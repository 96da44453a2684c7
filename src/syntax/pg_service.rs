//! libpq's service file: connection parameters under a name (fe-connect.c: `parseServiceFile`). A line that begins with `#` is a
//! comment; a value may hold one.

/// The parameters of a service, in order; `None` where the file has none of that name.
pub fn service(text: &str, name: &str) -> Option<Vec<(String, String)>> {
    let mut found: Option<Vec<(String, String)>> = None;
    for line in text.lines().map(str::trim) {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if let Some(rest) = line.strip_prefix('[') {
            // The first section of the name counts, and ends with the next one.
            if found.is_some() {
                break;
            }
            found = rest.strip_suffix(']').filter(|section| *section == name).map(|_| Vec::new());
            continue;
        }
        let pair = line.split_once('=').map(|(key, value)| (key.trim_end().to_owned(), value.trim_start().to_owned()));
        if let (Some(parameters), Some(pair)) = (found.as_mut(), pair) {
            parameters.push(pair);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_may_hold_what_begins_a_comment_elsewhere() {
        let text = "# all\n[shop]\nhost=db.shop.example\npassword=a;b#c\n\n[other]\nhost=x\n";
        let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        assert_eq!(service(text, "shop"), Some(vec![pair("host", "db.shop.example"), pair("password", "a;b#c")]));
        assert_eq!(service(text, "other"), Some(vec![pair("host", "x")]));
        assert_eq!(service(text, "none"), None);
    }
}
