//! One block as nginx sees it, includes put in, with the blocks around it: what is set in it, and what it inherits.
//!
//! nginx: a directive that is set in a block replaces all that the blocks around it set with the same directive
//! (`ngx_http_*_merge_loc_conf`).

use std::cell::OnceCell;

use super::capture::{self, Groups};
use super::include::Statement;
use super::location::Pattern;
use super::variable::{self, Sets};

/// What a block is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Context {
    /// A main file outside every block.
    Main,
    /// A file whose surroundings are out of sight.
    Fragment,
    /// `http`
    Http,
    /// `server`
    Server,
    /// `location`
    Location,
    /// `if`, in a server or a location.
    If,
    /// `limit_except`
    LimitExcept,
    /// Anything else: `upstream`, `map`, `events`, …
    Other,
}

impl Context {
    fn of(block: &Statement<'_>) -> Self {
        match block.directive.name() {
            "http" => Self::Http,
            "server" => Self::Server,
            "location" => Self::Location,
            "if" => Self::If,
            "limit_except" => Self::LimitExcept,
            _ => Self::Other,
        }
    }

    /// Whether nginx takes a block of this name in it; a fragment may be of any of them.
    pub(super) fn holds(self, name: &str) -> bool {
        match name {
            "server" => matches!(self, Self::Http | Self::Fragment),
            "location" | "if" => matches!(self, Self::Server | Self::Location | Self::Fragment),
            "limit_except" => matches!(self, Self::Location | Self::Fragment),
            _ => false,
        }
    }
}

/// A directive that other directives are judged by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Setting {
    /// `add_header`
    AddHeader,
    /// `add_header_inherit`, since nginx 1.29.3
    AddHeaderInherit,
    /// `alias`
    Alias,
    /// `error_page`
    ErrorPage,
    /// `if`
    If,
    /// `internal`
    Internal,
    /// `listen`
    Listen,
    /// `uwsgi_pass`, `proxy_pass` and their kin
    Pass,
    /// `proxy_http_version`
    ProxyHttpVersion,
    /// `proxy_set_header`
    ProxySetHeader,
    /// `resolver`
    Resolver,
    /// `return`
    Return,
    /// `rewrite`
    Rewrite,
    /// `root`
    Root,
    /// `server_name`
    ServerName,
    /// `set`
    Set,
    /// `try_files`
    TryFiles,
    /// `uwsgi_modifier1`
    UwsgiModifier,
    /// `uwsgi_param`, and an `include` of nginx's own `uwsgi_params`
    UwsgiParam,
}

impl Setting {
    fn of(statement: &Statement<'_>) -> Option<Self> {
        Some(match statement.directive.name() {
            "add_header" => Self::AddHeader,
            "add_header_inherit" => Self::AddHeaderInherit,
            "alias" => Self::Alias,
            "error_page" => Self::ErrorPage,
            "if" => Self::If,
            "internal" => Self::Internal,
            "listen" => Self::Listen,
            "uwsgi_pass" | "proxy_pass" | "fastcgi_pass" | "scgi_pass" | "grpc_pass" => Self::Pass,
            "proxy_http_version" => Self::ProxyHttpVersion,
            "proxy_set_header" => Self::ProxySetHeader,
            "resolver" => Self::Resolver,
            "return" => Self::Return,
            "rewrite" => Self::Rewrite,
            "root" => Self::Root,
            "server_name" => Self::ServerName,
            "set" => Self::Set,
            "try_files" => Self::TryFiles,
            "uwsgi_modifier1" => Self::UwsgiModifier,
            "uwsgi_param" => Self::UwsgiParam,
            "include" if is_stock_params(statement) => Self::UwsgiParam,
            _ => return None,
        })
    }
}

/// Whether an `include` is of the `uwsgi_params` that comes with nginx.
pub(super) fn is_stock_params(include: &Statement<'_>) -> bool {
    include.directive.is("include")
        && include.text(0).is_some_and(|path| path.rsplit('/').next() == Some("uwsgi_params"))
}

/// A block and those around it.
#[derive(Debug)]
pub(super) struct Level<'l, 'a> {
    /// What the block is.
    pub(super) context: Context,
    /// The directive that opens it; none for a file.
    pub(super) block: Option<Statement<'a>>,
    /// What stands in it.
    pub(super) statements: &'l [Statement<'a>],
    /// Whether all that stands in it is in sight.
    pub(super) whole: bool,
    outer: Option<&'l Level<'l, 'a>>,
    /// Sorted by the setting; those of one in the order of the text.
    settings: Vec<(Setting, Statement<'a>)>,
    sets: OnceCell<Sets<'a>>,
    groups: OnceCell<Groups<'a>>,
}

/// Where the set of a directive comes from that holds in a block.
#[derive(Debug, Clone, Copy)]
pub(super) enum Inherited<'s, 'a> {
    /// Set in this block, the nearest one.
    From(&'s Level<'s, 'a>),
    /// Set nowhere.
    Nowhere,
    /// Not seen, and a block around it is not wholly in sight.
    OutOfSight,
}

impl<'l, 'a> Level<'l, 'a> {
    /// A file with what stands outside every block.
    pub(super) fn of_file(statements: &'l [Statement<'a>], main: bool, whole: bool) -> Self {
        let context = if main { Context::Main } else { Context::Fragment };
        Self::new(context, None, None, statements, whole && main)
    }

    /// A block within this one.
    pub(super) fn inner<'i>(
        &'i self,
        block: Statement<'a>,
        statements: &'i [Statement<'a>],
        whole: bool,
    ) -> Level<'i, 'a> {
        Level::new(Context::of(&block), Some(block), Some(self), statements, whole)
    }

    fn new(
        context: Context,
        block: Option<Statement<'a>>,
        outer: Option<&'l Level<'l, 'a>>,
        statements: &'l [Statement<'a>],
        whole: bool,
    ) -> Self {
        let of = |statement: &Statement<'a>| Some((Setting::of(statement)?, *statement));
        let mut settings: Vec<_> = statements.iter().filter_map(of).collect();
        settings.sort_by_key(|(setting, _)| *setting);
        Self { context, block, statements, whole, outer, settings, sets: OnceCell::new(), groups: OnceCell::new() }
    }

    /// This block's own directives of one kind.
    pub(super) fn all(
        &self,
        setting: Setting,
    ) -> impl DoubleEndedIterator<Item = &Statement<'a>> + ExactSizeIterator + Clone {
        let first = self.settings.partition_point(|(other, _)| *other < setting);
        let end = self.settings.partition_point(|(other, _)| *other <= setting);
        self.settings[first..end].iter().map(|(_, statement)| statement)
    }

    /// How many there are, without going through them.
    pub(super) fn count(&self, setting: Setting) -> usize {
        self.all(setting).len()
    }

    /// The first of them.
    pub(super) fn first(&self, setting: Setting) -> Option<&Statement<'a>> {
        self.all(setting).next()
    }

    /// Whether there is one.
    pub(super) fn has(&self, setting: Setting) -> bool {
        self.first(setting).is_some()
    }

    /// This block and those around it, the nearest first.
    pub(super) fn outwards(&self) -> impl Iterator<Item = &Level<'_, 'a>> {
        std::iter::successors(Some(self as &Level<'_, 'a>), |level| level.outer)
    }

    /// The block around this one.
    pub(super) fn around(&self) -> Option<&Level<'l, 'a>> {
        self.outer
    }

    /// Where the set of a directive comes from that holds in this block.
    pub(super) fn inherited(&self, setting: Setting) -> Inherited<'_, 'a> {
        for level in self.outwards() {
            if level.has(setting) {
                return Inherited::From(level);
            }
            if !level.whole {
                return Inherited::OutOfSight;
            }
        }
        Inherited::Nowhere
    }

    /// The nearest block of a kind, this one included.
    pub(super) fn nearest(&self, context: Context) -> Option<&Level<'_, 'a>> {
        self.outwards().find(|level| level.context == context)
    }

    /// Whether this block and those around it are wholly in sight, up to the nearest one of a kind.
    pub(super) fn is_whole_within(&self, context: Context) -> bool {
        let last = self.outwards().position(|level| level.context == context);
        last.is_some_and(|last| self.outwards().take(last + 1).all(|level| level.whole))
    }

    /// What this block's own `set`s give variables.
    pub(super) fn sets(&self) -> &Sets<'a> {
        self.sets.get_or_init(|| variable::sets(self))
    }

    /// This block's own expressions by the names of their groups.
    pub(super) fn groups(&self) -> &Groups<'a> {
        self.groups.get_or_init(|| capture::groups(self))
    }

    /// The nearest location with what it matches.
    pub(super) fn location(&self) -> Option<Pattern<'a>> {
        Pattern::of(&self.nearest(Context::Location)?.block?)
    }

    /// The block in a few words, such as `location /static/`.
    pub(super) fn title(&self) -> String {
        self.block.map_or_else(|| "this file".to_owned(), |block| block.title())
    }
}
