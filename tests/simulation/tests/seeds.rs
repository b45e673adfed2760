//! Some seeds of the simulation, and that a seed means the same run every time.

use towpath_simulation::run;

/// More are run by `tests/run simulation`.
const SEEDS: u64 = 150;

#[test]
fn no_seed_breaks_an_invariant() {
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get) as u64;
    std::thread::scope(|scope| {
        let run_some = |first| {
            move || {
                for seed in (first..=SEEDS).step_by(usize::try_from(threads).unwrap()) {
                    if let Err(violation) = run(seed) {
                        panic!("\n{violation}\n");
                    }
                }
            }
        };
        let workers: Vec<_> = (1..=threads).map(|first| scope.spawn(run_some(first))).collect();
        for worker in workers {
            worker.join().unwrap();
        }
    });
}

#[test]
fn a_seed_is_the_same_run_every_time() {
    for seed in 1..=8 {
        assert_eq!(run(seed), run(seed), "seed {seed}");
    }
}
