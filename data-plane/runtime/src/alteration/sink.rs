//! The offsets of a sink: those of its consumer group, which has to have no members.

use towpath_connect::{ConfigMap, SinkConnector, TopicPartition};

use super::{Alteration, Altered, Change, Refused, asked, input};
use crate::clients::{ClientError, ClientOwner, SinkGroup, Subscription};
use crate::unit::Environment;

type GroupChange = (TopicPartition, Option<i64>);

pub(super) async fn alter(
    environment: &Environment,
    (mut connector, config): (Box<dyn SinkConnector>, &ConfigMap),
    request: Alteration<'_>,
) -> Result<Altered, Refused> {
    let group = SinkGroup {
        consumer: ClientOwner {
            connector: request.connector.into(),
            task: 0,
            overrides: config.with_prefix("consumer.override."),
        },
        admin_overrides: config.with_prefix("admin.override."),
    };
    let changes = match &request.change {
        Change::Alter(entries) => input::sink_changes(entries)?,
        Change::Reset => everything(environment, (&group, config), &request).await?,
    };
    let is_complete = asked(connector.alter_offsets(config, &changes), "sink", &request).await;
    connector.stop().await;
    let is_complete = is_complete?;
    let clients = &environment.clients;
    let done = match request.change {
        Change::Alter(_) => in_time(clients.alter_group_offsets(&group, &changes), &request).await,
        Change::Reset => in_time(clients.delete_group(&group), &request).await,
    };
    done.map_err(|error| refused(error, &request))?;
    Ok(Altered {
        changes: Vec::new(),
        in_kafka: Vec::new(),
        is_complete,
    })
}

/// All partitions of which the group has an offset.
async fn everything(
    environment: &Environment,
    (group, config): (&SinkGroup, &ConfigMap),
    request: &Alteration<'_>,
) -> Result<Vec<GroupChange>, Refused> {
    let connector = request.connector;
    let what = format!("Failed to list offsets prior to resetting offsets for sink connector {connector}");
    let subscription = match Subscription::of(config) {
        Ok(subscription) => subscription,
        Err(cause) => return Err(Refused::failed(what, cause)),
    };
    let found = environment.clients.group_offsets(&group.consumer, &subscription);
    match in_time(found, request).await {
        Ok(offsets) => Ok(offsets.into_keys().map(|partition| (partition, None)).collect()),
        Err(cause) => Err(Refused::failed(what, cause)),
    }
}

async fn in_time<T>(
    call: impl Future<Output = Result<T, ClientError>>,
    request: &Alteration<'_>,
) -> Result<T, ClientError> {
    let late = |_| Err(ClientError::Retriable("Kafka did not answer in time".to_owned()));
    tokio::time::timeout_at(request.deadline, call)
        .await
        .unwrap_or_else(late)
}

fn refused(error: ClientError, request: &Alteration<'_>) -> Refused {
    let connector = request.connector;
    let (verb, whose) = match request.change {
        Change::Alter(_) => ("alter", format!("connector {connector}")),
        Change::Reset => ("reset", format!("sink connector {connector}")),
    };
    if matches!(error, ClientError::GroupInUse(_)) {
        let what = format!(
            "Failed to {verb} consumer group offsets for connector {connector} either because its tasks haven't stopped \
             completely yet or the connector was resumed before the request to {verb} its offsets could be successfully \
             completed. If the connector is in a stopped state, this operation can be safely retried. If it doesn't \
             eventually succeed, the Connect cluster may need to be restarted to get rid of the zombie sink tasks."
        );
        return Refused::failed(what, error);
    }
    let what = format!("Failed to {verb} consumer group offsets for {whose}: {error}");
    Refused::new(500, what)
}
