//! Words of metadata.rb that came after Chef 11, which stops at a word that it does not know.

use crate::rows;
use crate::source::Place;
use crate::stack::chef::cookbook::Root;
use crate::stack::chef::target::Decision;
use crate::stack::fact::Fact;

rows! {
    #[doc = "one word of a metadata.rb that Chef 11 does not know"]
    pub struct MetadataField in "metadata_fields" {
        #[doc = "the word, such as `source_url`"]
        name: String,
        #[doc = "whether it stands in a condition, such as `if respond_to?(:source_url)`"]
        guarded: bool,
        #[doc = "the cookbook"]
        cookbook: String,
        #[doc = "the consumer the repository is made for"]
        target: String,
    }
}

/// Words that the metadata of Chef 12 and later has (`chef: lib/chef/cookbook/metadata.rb`).
const AFTER_CHEF_11: [&str; 7] =
    ["source_url", "issues_url", "chef_version", "ohai_version", "gem", "privacy", "eager_load_libraries"];

/// A row for each such word in the root's own cookbooks. A metadata.json is only data: words in it do no harm.
pub fn fields(root: &Root, decision: &Decision) -> Vec<MetadataField> {
    let mut rows = Vec::new();
    for book in root.books.iter().filter(|book| !book.is_context) {
        let Some(metadata) = book.metadata.as_ref().filter(|metadata| metadata.is_ruby) else { continue };
        for (word, conditional) in &metadata.fields {
            if !AFTER_CHEF_11.contains(&word.value.as_str()) {
                continue;
            }
            let place = Place::at(metadata.file, word.span);
            rows.push(MetadataField {
                confidence: decision.confidence,
                name: Fact::read(word.value.clone(), place),
                guarded: Fact::derived(*conditional),
                cookbook: Fact::derived(book.name.clone()),
                target: decision.fact(),
                ..MetadataField::at(place)
            });
        }
    }
    rows
}
