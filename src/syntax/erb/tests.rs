//! Templates and where their tags and blocks stand.

use proptest::prelude::*;

use super::*;

fn codes(text: &str, template: &Template) -> Vec<(TagKind, String)> {
    template.tags.iter().map(|tag| (tag.kind, tag.code.of(text).to_owned())).collect()
}

#[test]
fn erb_tags_keep_their_length() {
    let text = "a <%= node['x'] -%> b\n<% if y -%>\n<%# é\n %>\n<%%= no %>\n<%= z\n%>\n<%- end -%>";
    let template = read(text);
    assert_eq!(template.text.len(), text.len());
    let output = |count: usize| FILLER.to_string().repeat(count);
    let expected = format!(
        "a {} b\n{}\n{}\n<%%= no %>\n{}\n{}",
        output(17),
        " ".repeat(11),
        " ".repeat(10),
        output(8),
        " ".repeat(11)
    );
    assert_eq!(template.text, expected);
    use TagKind::{Code, Comment, Output};
    let expected = [(Output, "node['x']"), (Code, "if y"), (Comment, "é"), (Output, "z"), (Code, "end")];
    assert_eq!(codes(text, &template), expected.map(|(kind, code)| (kind, code.to_owned())));
    assert_eq!(template.tags.iter().map(|tag| tag.alone).collect::<Vec<_>>(), [false, false, false, true, false]);
}

#[test]
fn blocks_are_what_code_decides() {
    let blocks = |template: Template, text: &str| -> Vec<String> {
        template.blocks.iter().map(|span| span.of(text).to_owned()).collect()
    };
    let text = "a <% if x %>b<% y.each do |z| %>c<% end %>d<% else %>e<% end %> f <% if q then r end %> g\
                <%- @l.each { |m| -%>h<% } %>";
    let expected = ["<% if x %>b<% y.each do |z| %>c<% end %>d<% else %>e<% end %>", "<%- @l.each { |m| -%>h<% } %>"];
    assert_eq!(blocks(read(text), text), expected);
    let text = "{% set a = 1 %}{% for b in c %}{% if d %}x{% endif %}{% endfor %}{{ e }}{% if f %}y";
    let expected = ["{% for b in c %}{% if d %}x{% endif %}{% endfor %}", "{% if f %}y"];
    assert_eq!(blocks(read_jinja(text), text), expected);
    let text = "a{{range .S}}b{{end}}c{{end}}d";
    assert_eq!(blocks(read_jinja(text), text), ["a{{range .S}}b{{end}}c{{end}}"]);
}

#[test]
fn a_literal_close_and_an_unclosed_tag() {
    let text = "x <%= '%%>' %> <%= rest\nof it";
    let template = read(text);
    assert_eq!(codes(text, &template)[0].1, "'%%>'");
    assert_eq!(template.tags[1].span, Span::new(15, text.len()));
}

#[test]
fn jinja_tags_and_raw_blocks() {
    let text = "{{ a }}\n{% if b -%}{# c #}\n{% raw %}{{ d }}{% endraw %}{{ e }}";
    let template = read_jinja(text);
    let expected = ["a", "if b", "c", "raw", "endraw", "e"];
    assert_eq!(codes(text, &template).into_iter().map(|(_, code)| code).collect::<Vec<_>>(), expected);
    assert!(template.text.contains("{{ d }}"));
    assert!(template.tags[0].alone && !template.tags[5].alone);
}

#[test]
fn go_blocks_are_code() {
    let text = "{{range .Sites}}\nserver_name {{.Host}};\n{{$port := .Port}}\n{{else}}\n{{end}}\n";
    let kinds: Vec<_> = read_jinja(text).tags.iter().map(|tag| tag.kind).collect();
    use TagKind::{Code, Output};
    assert_eq!(kinds, [Code, Output, Code, Code, Code]);
    assert_eq!(read_jinja("listen {{ end }};").tags[0].kind, Output);
}

#[test]
fn a_template_of_a_template_is_code() {
    let template = read_jinja("{{ '{%' }} if a {{ '%}' }}{{ name }}");
    let kinds: Vec<_> = template.tags.iter().map(|tag| tag.kind).collect();
    assert_eq!(kinds, [TagKind::Code, TagKind::Code, TagKind::Output]);
    assert!(template.text.starts_with("           if a "));
}

#[test]
fn a_template_shows_itself_by_a_closed_tag() {
    assert!(is_jinja("server_name {{ host }};\n"));
    assert!(is_jinja("{% if tls %}\n"));
    assert!(!is_jinja("# server_name {{ host }};\nserver {{\n}}\n"));
    assert!(!is_jinja("log_format a '%{x}';\nreturn 200 '{\"a\":{}}';\n"));
}

proptest! {
    #[test]
    fn outside_of_tags_nothing_changes(
        pieces in prop::collection::vec(
            prop::sample::select(vec![
                "<%", "<%=", "<%#", "<%%", "%>", "-%>", "%%>", "{{", "}}", "{%", "%}", "{#", "#}", "a", "é", "\n",
                " ", "raw", "<", "{", "%",
            ]),
            0..30,
        ),
    ) {
        let text = pieces.concat();
        for template in [read(&text), read_jinja(&text)] {
            prop_assert_eq!(template.text.len(), text.len());
            let mut at = 0;
            for tag in &template.tags {
                let range = tag.span.range();
                prop_assert!(range.start >= at && range.start < range.end);
                prop_assert_eq!(&template.text[at..range.start], &text[at..range.start]);
                let stand_in = if tag.kind == TagKind::Output { FILLER } else { ' ' };
                prop_assert!(template.text[range.clone()].chars().all(|character| character == stand_in));
                prop_assert!(text.get(tag.code.range()).is_some());
                prop_assert!(tag.span.start <= tag.code.start && tag.code.end <= tag.span.end);
                at = range.end;
            }
            prop_assert_eq!(&template.text[at..], &text[at..]);
        }
    }
}
