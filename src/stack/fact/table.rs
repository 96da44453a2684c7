//! Tables and their rows. They are declared once, with [`rows!`](crate::rows): the struct, its documentation and the schema that
//! rule pages are checked against.

use std::fmt::Debug;

use super::{Fact, Leaf, Look, Type};
use crate::finding::Confidence;
use crate::source::Place;

/// One column of a table, declared by [`rows!`](crate::rows).
#[derive(Debug, Clone, Copy)]
pub struct Column {
    /// The fact's name in expressions.
    pub name: &'static str,
    /// Its type.
    pub kind: Type,
    /// One line of words.
    pub doc: &'static str,
}

/// The declaration of a table.
#[derive(Debug, Clone, Copy)]
pub struct Schema {
    /// The table's name in `each = "…"`.
    pub table: &'static str,
    /// One line of words.
    pub doc: &'static str,
    /// Its facts.
    pub columns: &'static [Column],
}

/// A row whose type is known at compile time.
pub trait Table: Row {
    /// The table's name.
    const NAME: &'static str;
    /// The declaration.
    const SCHEMA: Schema;
}

/// One item a rule can run over.
pub trait Row: Debug + Send + Sync {
    /// The declaration of its table.
    fn schema(&self) -> &'static Schema;
    /// A fact by name; `None` where the table declares no such fact.
    fn fact(&self, name: &str) -> Option<Fact<Leaf>>;
    /// The answer of a fact by its number among the columns of the schema; `None` past the last one.
    fn look(&self, column: usize) -> Option<Look<'_>>;
    /// The item itself: where a default or absent fact of it is shown.
    fn place(&self) -> Place;
    /// What `each = "table[key]"` selects on.
    fn key(&self) -> &str;
    /// How sure the weakest link is that this row was made with.
    fn confidence(&self) -> Confidence;
}

/// Declares tables: `rows! { /// words  pub struct Job in "jobs" { /// words  exec: String, } }`.
///
/// Each field becomes a [`Fact`] that starts as unknown, so a fact that nobody works out is never taken for absent.
///
/// A table with very many rows need not keep in each what follows from another fact of it: `derived { /// words  local: bool = address by
/// is_local, }` behind its fields declares a fact that is worked out when it is asked for, and a method of its name.
#[macro_export]
macro_rules! rows {
    ($(
        #[doc = $doc:literal]
        pub struct $name:ident in $table:literal {
            $( #[doc = $field_doc:literal] $field:ident: $type:ty, )*
        }
        $( derived { $( #[doc = $from_doc:literal] $from:ident: $from_type:ty = $source:ident by $work:path, )* } )?
    )*) => { $(
        #[doc = $doc]
        #[derive(Debug, Clone)]
        pub struct $name {
            /// The item itself.
            pub place: $crate::source::Place,
            /// What `each = "table[key]"` selects on.
            pub key: String,
            /// How sure the weakest link is that it was made with.
            pub confidence: $crate::finding::Confidence,
            $( #[doc = $field_doc] pub $field: $crate::stack::fact::Fact<$type>, )*
        }

        impl $name {
            /// The row at `place`, with every fact still unknown.
            pub fn at(place: $crate::source::Place) -> Self {
                Self {
                    place,
                    key: String::new(),
                    confidence: $crate::finding::Confidence::Proved,
                    $( $field: {
                        static UNREAD: $crate::stack::fact::Lack = $crate::stack::fact::Lack::fixed(
                            concat!($table, ".", stringify!($field)), "this version does not read it here");
                        $crate::stack::fact::Fact::unknown((&UNREAD).into())
                    }, )*
                }
            }

            $( $(
                #[doc = $from_doc]
                pub fn $from(&self) -> $crate::stack::fact::Fact<$from_type> {
                    self.$source.clone().map(|value| $work(&value))
                }
            )* )?
        }

        impl $crate::stack::fact::Table for $name {
            const NAME: &'static str = $table;
            const SCHEMA: $crate::stack::fact::Schema = $crate::stack::fact::Schema {
                table: $table,
                doc: $doc,
                columns: &[ $( $crate::stack::fact::Column {
                    name: stringify!($field),
                    kind: <$type as $crate::stack::fact::Value>::TYPE,
                    doc: $field_doc,
                }, )* $( $( $crate::stack::fact::Column {
                    name: stringify!($from),
                    kind: <$from_type as $crate::stack::fact::Value>::TYPE,
                    doc: $from_doc,
                }, )* )? ],
            };
        }

        impl $crate::stack::fact::Row for $name {
            fn schema(&self) -> &'static $crate::stack::fact::Schema {
                &<Self as $crate::stack::fact::Table>::SCHEMA
            }
            fn fact(&self, name: &str) -> Option<$crate::stack::fact::Fact<$crate::stack::fact::Leaf>> {
                match name {
                    $( stringify!($field) => Some(self.$field.clone().map(|value| $crate::stack::fact::Value::leaf(&value))), )*
                    $( $( stringify!($from) => Some(self.$from().map(|value| $crate::stack::fact::Value::leaf(&value))), )* )?
                    _ => None,
                }
            }
            fn look(&self, column: usize) -> Option<$crate::stack::fact::Look<'_>> {
                const LOOKS: &[fn(&$name) -> $crate::stack::fact::Look<'_>] = &[
                    $( |row| row.$field.look(), )*
                    $( $( |row| row.$source.look_by(|value| $work(value)), )* )?
                ];
                LOOKS.get(column).map(|look| look(self))
            }
            fn place(&self) -> $crate::source::Place {
                self.place
            }
            fn key(&self) -> &str {
                &self.key
            }
            fn confidence(&self) -> $crate::finding::Confidence {
                self.confidence
            }
        }
    )* };
}
