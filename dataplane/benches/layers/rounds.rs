//! Many short rounds, because the machine is rarely ours alone: the best of them, and the median.

use std::time::Instant;

/// Nanoseconds a check: of the best round and of the median one. `each` says whether a check went as it must.
pub(crate) fn rounds(rounds: usize, checks: usize, mut each: impl FnMut(usize) -> bool) -> (f64, f64) {
    let mut ns: Vec<f64> = (0..rounds)
        .map(|round| {
            let start = Instant::now();
            for check in 0..checks {
                assert!(each(round * checks + check), "check {check} of round {round} went otherwise");
            }
            start.elapsed().as_nanos() as f64 / checks as f64
        })
        .collect();
    ns.sort_by(f64::total_cmp);
    (ns[0], ns[rounds / 2])
}

/// One row: what was asked, and what [`rounds`] gave.
pub(crate) fn print(name: &str, (best, median): (f64, f64)) {
    println!("{name:<64} {best:>8.1} {median:>8.1}");
}
