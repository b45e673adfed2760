//! `tests/bench control-plane`: what writes cost with one, three and five real nodes and simulated workers, and what
//! planning costs as a cluster grows. Needs no Kafka.

mod planning;
mod table;
mod worker;
mod writes;

use crate::Outcome;
use crate::report::note;

const GROUPS: [usize; 3] = [1, 3, 5];

pub(crate) async fn run(json: bool) -> Outcome<()> {
    let mut writes = Vec::new();
    for nodes in GROUPS {
        note(&format!("writes to {nodes} nodes"));
        writes.extend(writes::measure(nodes).await?);
    }
    note("planning");
    let plans = planning::measure()?;
    table::print(&writes, &plans, json)
}
