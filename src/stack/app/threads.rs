//! What starts a thread that is to go on between requests.

use crate::stack::app::code::Code;
use crate::stack::app::walk::Trace;
use crate::stack::fact::Fact;
use crate::syntax::python::What;

/// Calls after which a thread of its own works in the background.
const STARTS: [&str; 14] = [
    "threading.Thread",
    "threading.Timer",
    "multiprocessing.dummy.Pool",
    "multiprocessing.pool.ThreadPool",
    "concurrent.futures.ThreadPoolExecutor",
    "apscheduler.schedulers.background.BackgroundScheduler",
    "apscheduler.scheduler.Scheduler",
    "flask_apscheduler.APScheduler",
    "sentry_sdk.init",
    "raven.Client",
    "raven.contrib.flask.Sentry",
    "newrelic.agent.initialize",
    "elasticapm.contrib.flask.ElasticAPM",
    "prometheus_client.start_http_server",
];

/// The first call at import that starts one; unknown where it may not run, or where code is out of sight.
pub fn started(code: &Code, trace: &Trace) -> Fact<String> {
    let mut hits = trace.steps.iter().filter_map(|step| {
        let What::Call(call) = &step.event.what else { return None };
        let path = code.canonical(&trace.roots, step.unit, &step.event.scope, call.call()?.0)?;
        STARTS.contains(&path.as_str()).then_some((step, call))
    });
    let found = hits.clone().find(|(step, _)| !step.sometimes).or_else(|| hits.next());
    match (found, trace.missing.first()) {
        (Some((step, call)), _) => step.fact_of(call),
        (None, Some(missing)) => Fact::unknown(missing.clone()),
        (None, None) => Fact::absent(),
    }
}
