//! A panic ends in exit code 4 and its place in the source; its message is never shown, for it may quote an input.

use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::sync::{Arc, Mutex, PoisonError};

/// The result of `work`, or the place of the first panic on any thread.
pub(super) fn guarded<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    // The hook belongs to the whole process, so two guards at once would put back each other's.
    static ONE: Mutex<()> = Mutex::new(());
    let _one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
    let place: Arc<Mutex<Option<String>>> = Arc::default();
    let noted = Arc::clone(&place);
    let before = take_hook();
    set_hook(Box::new(move |panic| {
        let mut place = noted.lock().unwrap_or_else(PoisonError::into_inner);
        if let (None, Some(at)) = (place.as_ref(), panic.location()) {
            *place = Some(format!("{}:{}", at.file(), at.line()));
        }
    }));
    let done = catch_unwind(AssertUnwindSafe(work));
    set_hook(before);
    let place = place.lock().unwrap_or_else(PoisonError::into_inner).take();
    done.map_err(|_| place.unwrap_or_else(|| "an unknown place".to_owned()))
}
