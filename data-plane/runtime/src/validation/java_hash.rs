//! The order in which a Java `HashMap` lists text keys. Answers of Kafka Connect are in that order in some places, and
//! the messages that print a whole configuration too.

/// How the map came about, which decides its size.
#[derive(Clone, Copy, Debug)]
pub(super) enum Table {
    /// Filled key by key.
    Grown,
    /// Made as a copy of another map.
    Copied,
}

const SMALLEST_GROWN: usize = 16;

/// The items in the order of the map; `key` gives the key of an item.
pub(super) fn in_map_order<T>(mut items: Vec<T>, table: Table, key: impl Fn(&T) -> &str) -> Vec<T> {
    let mask = buckets(items.len(), table) - 1;
    // Stable: keys of one bucket stay in the order of insertion.
    items.sort_by_key(|item| bucket(key(item), mask));
    items
}

/// A map is never filled to more than three quarters.
fn buckets(count: usize, table: Table) -> usize {
    match table {
        Table::Copied => (count * 4 / 3 + 1).next_power_of_two(),
        Table::Grown => (count * 4).div_ceil(3).next_power_of_two().max(SMALLEST_GROWN),
    }
}

fn bucket(key: &str, mask: usize) -> usize {
    let hash = key
        .encode_utf16()
        .fold(0_u32, |hash, unit| hash.wrapping_mul(31).wrapping_add(u32::from(unit)));
    usize::try_from(hash ^ (hash >> 16)).map_or(0, |spread| spread & mask)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ordered(keys: &[&'static str], table: Table) -> Vec<&'static str> {
        in_map_order(keys.to_vec(), table, |key| key)
    }

    #[test]
    fn keys_of_the_json_converter_are_in_the_order_of_kafka_connect() {
        let defined = [
            "converter.type",
            "schemas.enable",
            "schemas.cache.size",
            "schema.content",
            "decimal.format",
            "replace.null.with.default",
        ];
        let listed = [
            "decimal.format",
            "converter.type",
            "schemas.cache.size",
            "replace.null.with.default",
            "schemas.enable",
            "schema.content",
        ];
        assert_eq!(ordered(&defined, Table::Grown), listed);
    }

    #[test]
    fn client_overrides_are_in_the_order_of_kafka_connect() {
        let submitted = [
            "fetch.min.bytes",
            "foo",
            "sasl.jaas.config",
            "ssl.key.password",
            "partition.assignment.strategy",
            "key.deserializer",
        ];
        let listed = [
            "key.deserializer",
            "ssl.key.password",
            "sasl.jaas.config",
            "foo",
            "partition.assignment.strategy",
            "fetch.min.bytes",
        ];
        assert_eq!(ordered(&submitted, Table::Grown), listed);
    }

    #[test]
    fn a_printed_configuration_is_in_the_order_of_a_copied_map() {
        assert_eq!(ordered(&["file", "name"], Table::Copied), ["name", "file"]);
        assert_eq!(
            ordered(&["name", "connector.class", "topic"], Table::Copied),
            ["name", "connector.class", "topic"]
        );
    }
}
