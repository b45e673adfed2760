//! Transactions that Kafka itself has left hanging: open in a partition, and over for their coordinator. Readers of committed
//! records wait for them for ever.
//!
//! A broker that is killed between the decision over a transaction and its markers can bring that about: when it starts, its
//! coordinator may look for the partitions before they are known, takes them for deleted, and notes the transaction as complete
//! without markers (it says "likely deleted already and hence can be skipped"). It happens when starting takes long. Kafka's
//! remedy is `kafka-transactions.sh abort`, and so it is here: the rest of the run is judged as ever.

use std::collections::BTreeSet;

use crate::broker::Broker;
use crate::shell::ShellError;

const TOOL: &str = "TransactionsCommand";

/// An open transaction over one partition.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Hanging {
    pub topic: String,
    pub partition: u32,
    pub producer: u64,
    pub start: u64,
}

/// Those over these partitions. Nothing that a coordinator still works at is among them.
///
/// # Errors
/// As [`abort`]: when Kafka's tool does not succeed.
pub async fn find(broker: &Broker, partitions: &[(String, u32)]) -> Result<BTreeSet<Hanging>, ShellError> {
    let before = open(broker, partitions).await?;
    if before.is_empty() {
        return Ok(before);
    }
    let unfinished = unfinished(&broker.tool(&[TOOL, "list"]).await?);
    // What is open before and after was open when the coordinator said what it works at.
    let after = open(broker, partitions).await?;
    let both = before.intersection(&after).cloned();
    Ok(both
        .filter(|found| !unfinished.contains(&found.producer))
        .collect())
}

/// Ends it, as an operator would.
///
/// # Errors
/// See [`find`].
pub async fn abort(broker: &Broker, hanging: &Hanging) -> Result<(), ShellError> {
    let (partition, start) = (hanging.partition.to_string(), hanging.start.to_string());
    let words = [
        TOOL,
        "abort",
        "--topic",
        &hanging.topic,
        "--partition",
        &partition,
        "--start-offset",
        &start,
    ];
    broker.tool(&words).await.map(drop)
}

async fn open(broker: &Broker, partitions: &[(String, u32)]) -> Result<BTreeSet<Hanging>, ShellError> {
    let mut found = BTreeSet::new();
    for (topic, partition) in partitions {
        let number = partition.to_string();
        let words = [
            TOOL,
            "describe-producers",
            "--topic",
            topic,
            "--partition",
            &number,
        ];
        let producers = broker.tool(&words).await?;
        found.extend(open_of(&producers).map(|(producer, start)| Hanging {
            topic: topic.clone(),
            partition: *partition,
            producer,
            start,
        }));
    }
    Ok(found)
}

/// The producers of a partition with an open transaction, and where it begins.
fn open_of(table: &str) -> impl Iterator<Item = (u64, u64)> {
    table.lines().filter_map(|line| {
        let cells: Vec<&str> = line.split_whitespace().collect();
        Some((cells.first()?.parse().ok()?, cells.get(5)?.parse().ok()?))
    })
}

/// The producers whose transaction the coordinator has not ended yet.
fn unfinished(table: &str) -> BTreeSet<u64> {
    let producers = table.lines().filter_map(|line| {
        let cells: Vec<&str> = line.split_whitespace().collect();
        let is_over = matches!(
            *cells.get(3)?,
            "Empty" | "CompleteCommit" | "CompleteAbort" | "Dead"
        );
        let producer: u64 = cells.get(2)?.parse().ok()?;
        (!is_over).then_some(producer)
    });
    producers.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tables_of_kafkas_tool_are_read() {
        let producers = "ProducerId\tProducerEpoch\tLatestCoordinatorEpoch\tLastSequence\tLastTimestamp\tCurrentTransactionStartOffset\t\n\
                         3         \t1            \t0                     \t18          \t1796038909017\t36                           \t\n\
                         1         \t2            \t4                     \t-1          \t1796038982961\tNone                         \t\n";
        assert_eq!(open_of(producers).collect::<Vec<_>>(), [(3, 36)]);
        let transactions = "TransactionalId      \tCoordinator\tProducerId\tTransactionState\t\n\
                            cluster-source-0-0   \t1          \t1         \tOngoing         \t\n\
                            cluster-source-1-0   \t1          \t3         \tEmpty           \t\n\
                            cluster-steady-0-0   \t1          \t4         \tPrepareAbort    \t\n";
        assert_eq!(unfinished(transactions), [1, 4].into());
    }
}
