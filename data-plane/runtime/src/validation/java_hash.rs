//! The order in which a Java `HashMap` lists text keys. Answers of Kafka Connect are in that order in some places, and
//! the messages that print a whole configuration too.

const SMALLEST_GROWN: usize = 16;

/// The items in the order of a map of so many buckets; `key` gives the key of an item.
pub(super) fn in_map_order<T>(mut items: Vec<T>, buckets: usize, key: impl Fn(&T) -> &str) -> Vec<T> {
    // Stable: keys of one bucket stay in the order of insertion.
    items.sort_by_key(|item| bucket(key(item), buckets - 1));
    items
}

/// The buckets of a map that was filled key by key; it is never filled to more than three quarters.
pub(super) fn grown(count: usize) -> usize {
    (count * 4).div_ceil(3).next_power_of_two().max(SMALLEST_GROWN)
}

/// The buckets of a map that was made as a copy of another one.
pub(super) fn copied(count: usize) -> usize {
    (count * 4 / 3 + 1).next_power_of_two()
}

fn bucket(key: &str, mask: usize) -> usize {
    let hash = key.encode_utf16().fold(0_u32, |hash, unit| {
        hash.wrapping_mul(31).wrapping_add(u32::from(unit))
    });
    usize::try_from(hash ^ (hash >> 16)).map_or(0, |spread| spread & mask)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ordered(keys: &[&'static str], buckets: usize) -> Vec<&'static str> {
        in_map_order(keys.to_vec(), buckets, |key| key)
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
        assert_eq!(ordered(&defined, grown(6)), listed);
    }

    #[test]
    fn client_overrides_are_in_the_order_of_kafka_connect() {
        let submitted = [
            "fetch.min.bytes",
            "sasl.jaas.config",
            "ssl.key.password",
            "partition.assignment.strategy",
            "key.deserializer",
        ];
        let listed = [
            "key.deserializer",
            "ssl.key.password",
            "sasl.jaas.config",
            "partition.assignment.strategy",
            "fetch.min.bytes",
        ];
        assert_eq!(ordered(&submitted, grown(5)), listed);
    }

    #[test]
    fn unknown_keys_are_in_the_order_of_a_map_that_holds_all_keys() {
        assert_eq!(
            ordered(&["a.x", "b.y", "c", "zz"], grown(28)),
            ["zz", "c", "a.x", "b.y"]
        );
    }

    #[test]
    fn a_printed_configuration_is_in_the_order_of_a_copied_map() {
        assert_eq!(ordered(&["file", "name"], copied(2)), ["name", "file"]);
        assert_eq!(
            ordered(&["name", "connector.class", "topic"], copied(3)),
            ["name", "connector.class", "topic"]
        );
    }
}
