//! How fast each reader goes through a text that is in memory. `cargo bench --bench readers`
#![allow(missing_docs)]

mod tree;

use std::hint::black_box;
use std::sync::Arc;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use housecall::engine::{Options, lint_memory};
use housecall::syntax::{nginx, python, ruby, upstart, uwsgi};

/// As long as a large file of its kind.
const BYTES: usize = 32 * 1024;

fn readers(criterion: &mut Criterion) {
    let site: Arc<str> = tree::files(7).last().map(|(_, text)| text).unwrap_or_default().into();
    let mut group = criterion.benchmark_group("readers");
    group.throughput(Throughput::Bytes(site.len() as u64));
    group.bench_function("nginx", |bench| bench.iter(|| nginx::parse(Arc::clone(black_box(&site)))));
    let ini = repeated(include_str!("../fixtures/hosts/healthy/root/srv/thena/releases/20160503/uwsgi.ini"));
    let job = repeated(include_str!("../fixtures/hosts/healthy/root/etc/init/thena-uwsgi.conf"));
    let module = repeated(include_str!("../fixtures/thena/app/config.py"));
    let recipe = repeated(include_str!("../fixtures/thena/infra/cookbooks/thena-infra/recipes/uwsgi.rb"));
    group.throughput(Throughput::Bytes(BYTES as u64));
    group.bench_function("uwsgi", |bench| bench.iter(|| uwsgi::parse(black_box(&ini))));
    group.bench_function("upstart", |bench| bench.iter(|| upstart::parse(black_box(&job))));
    group.bench_function("python", |bench| bench.iter(|| python::parse(black_box(&module))));
    group.bench_function("ruby", |bench| bench.iter(|| ruby::parse(black_box(&recipe))));
    group.finish();
}

/// A small file over and over, in whole lines but for the last.
fn repeated(text: &str) -> String {
    text.chars().cycle().take(BYTES).collect()
}

fn memory(criterion: &mut Criterion) {
    let files: Vec<(String, Vec<u8>)> = tree::files(20).map(|(path, text)| (path, text.into_bytes())).collect();
    let options = Options::default();
    let mut group = criterion.benchmark_group("lint in memory");
    group.throughput(Throughput::Bytes(files.iter().map(|(_, bytes)| bytes.len() as u64).sum()));
    group.bench_function("20 sites", |bench| bench.iter(|| lint_memory(black_box(&files), &options)));
    group.finish();
}

criterion_group!(benches, readers, memory);
criterion_main!(benches);
