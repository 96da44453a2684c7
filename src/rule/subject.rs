//! A row as conditions and texts see it, looked into only as far as they ask.

use std::cell::{Cell, OnceCell};
use std::cmp::Ordering;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use minijinja::context;
use minijinja::value::{DynObject, Object, Value};

use crate::finding::Confidence;
use crate::rule::schema;
use crate::stack::fact::{Answer, Leaf, Missing, Row, Schema, Type};

/// What stands in a text where a fact is absent or out of sight.
pub const GAP: &str = "…";

/// A row ready to be asked.
#[derive(Debug)]
pub struct Subject<'r> {
    row: &'r Arc<dyn Row>,
    mode: Mode,
    weakest: Cell<Confidence>,
    /// What minijinja sees; made when the first condition needs it.
    seen: OnceCell<(Value, Arc<Trace>)>,
}

impl<'r> Subject<'r> {
    /// The row that expressions call `it`.
    pub fn new(row: &'r Arc<dyn Row>) -> Self {
        Self { row, mode: Mode::Judging, weakest: Cell::new(row.confidence()), seen: OnceCell::new() }
    }

    /// The same for texts, in which [`GAP`] stands for what is absent or out of sight.
    pub(super) fn for_words(row: &'r Arc<dyn Row>) -> Self {
        Self { mode: Mode::Wording, ..Self::new(row) }
    }

    /// The weakest link among the rows that conditions have touched so far.
    pub fn confidence(&self) -> Confidence {
        let traced = self.seen.get().map(|(_, trace)| trace.lock().confidence);
        traced.map_or(self.weakest.get(), |traced| traced.min(self.weakest.get()))
    }

    /// Notes a row that was touched.
    pub(super) fn weaken(&self, confidence: Confidence) {
        self.weakest.set(self.weakest.get().min(confidence));
    }

    pub(super) fn row(&self) -> &'r dyn Row {
        self.row.as_ref()
    }

    /// What expressions are evaluated over.
    pub(super) fn context(&self) -> Value {
        self.seen().0.clone()
    }

    /// What was out of sight since this was last asked.
    pub(super) fn take_missing(&self) -> Vec<Missing> {
        std::mem::take(&mut self.seen().1.lock().missing)
    }

    fn seen(&self) -> &(Value, Arc<Trace>) {
        self.seen.get_or_init(|| {
            let state = State { missing: Vec::new(), confidence: self.row.confidence() };
            let trace = Arc::new(Trace(Mutex::new(state)));
            let (row, schema) = (Reach::Known(Arc::clone(self.row)), self.row.schema());
            let view = View { row, schema, mode: self.mode, trace: Arc::clone(&trace) };
            (context! { it => Value::from_object(view) }, trace)
        })
    }
}

/// What texts are evaluated over where no row of `schema` is at hand.
pub(super) fn without_row(schema: &'static Schema) -> Value {
    let trace = Arc::new(Trace(Mutex::new(State { missing: Vec::new(), confidence: Confidence::Proved })));
    let view = View { row: Reach::Absent, schema, mode: Mode::Wording, trace };
    context! { it => Value::from_object(view) }
}

/// What happened while expressions were evaluated.
#[derive(Debug)]
struct Trace(Mutex<State>);

#[derive(Debug)]
struct State {
    missing: Vec<Missing>,
    confidence: Confidence,
}

impl Trace {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    Judging,
    Wording,
}

#[derive(Debug, Clone)]
enum Reach {
    Known(Arc<dyn Row>),
    Absent,
    Unknown,
}

/// A row as expressions see it.
#[derive(Debug)]
struct View {
    row: Reach,
    schema: &'static Schema,
    mode: Mode,
    trace: Arc<Trace>,
}

impl View {
    fn nested(&self, row: Reach, table: &str) -> Option<Value> {
        if let Reach::Known(row) = &row {
            let mut state = self.trace.lock();
            state.confidence = state.confidence.min(row.confidence());
        }
        let schema = schema::table(table).ok()?;
        Some(Value::from_object(Self { row, schema, mode: self.mode, trace: Arc::clone(&self.trace) }))
    }

    fn absent(&self, kind: Type) -> Option<Value> {
        match kind {
            Type::Row(table) => self.nested(Reach::Absent, table),
            _ => Some(Value::from(())),
        }
    }

    fn unknown(&self, kind: Type) -> Option<Value> {
        match (kind, self.mode) {
            (Type::Row(table), _) => self.nested(Reach::Unknown, table),
            (_, Mode::Judging) => Some(Value::from(())),
            (Type::List, Mode::Wording) => Some(Value::from(vec![GAP])),
            (_, Mode::Wording) => Some(Value::from(GAP)),
        }
    }
}

impl Object for View {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.get_value_by_str(key.as_str()?)
    }

    fn get_value_by_str(self: &Arc<Self>, name: &str) -> Option<Value> {
        let kind = schema::column(self.schema, name).ok()?.kind;
        let row = match &self.row {
            Reach::Known(row) => row,
            Reach::Absent => return self.absent(kind),
            Reach::Unknown => return self.unknown(kind),
        };
        match row.fact(name)?.answer {
            Answer::Known(Leaf::Bool(value)) => Some(Value::from(value)),
            Answer::Known(Leaf::Int(value)) => Some(Value::from(value)),
            Answer::Known(Leaf::Text(value)) => Some(Value::from(value)),
            Answer::Known(Leaf::List(value)) => Some(Value::from(value)),
            Answer::Known(Leaf::Row(row)) => self.nested(Reach::Known(Arc::clone(&row)), row.schema().table),
            Answer::Absent => self.absent(kind),
            Answer::Unknown(missing) => {
                self.trace.lock().missing.push(missing);
                self.unknown(kind)
            }
        }
    }

    fn is_true(self: &Arc<Self>) -> bool {
        matches!(self.row, Reach::Known(_))
    }

    /// Two rows are equal where they are the same row; without this, all would be.
    fn custom_cmp(self: &Arc<Self>, other: &DynObject) -> Option<Ordering> {
        let address = |view: &Self| match &view.row {
            Reach::Known(row) => Arc::as_ptr(row).cast::<()>() as usize,
            Reach::Absent | Reach::Unknown => 0,
        };
        Some(address(self).cmp(&address(other.downcast_ref::<Self>()?)))
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "one of {}", self.schema.table)
    }
}
