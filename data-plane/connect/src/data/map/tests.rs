//! Maps.

use proptest::prelude::*;

use super::*;

#[test]
fn a_map_keeps_the_place_of_a_key_that_is_set_again() {
    let mut map = Map::new();
    assert_eq!(map.insert("a".into(), Value::Int8(1)), None);
    map.insert("b".into(), Value::Int8(2));
    assert_eq!(map.insert("a".into(), Value::Int8(3)), Some(Value::Int8(1)));
    let entries: Vec<_> = map.iter().map(|(k, v)| (k.clone(), v.clone())).collect();
    assert_eq!(
        entries,
        [("a".into(), Value::Int8(3)), ("b".into(), Value::Int8(2))]
    );
    assert_eq!(map.remove("a"), Some(Value::Int8(3)));
    assert_eq!((map.get("a"), map.len()), (None, 1));
}

proptest! {
    #[test]
    fn a_map_of_many_entries_is_built_as_one_of_few(keys in prop::collection::vec((0..60_i64, any::<bool>()), 0..200)) {
        let entry = |index: usize, key: i64, is_text: bool| {
            let key = if is_text { Value::from(key.to_string().as_str()) } else { Value::Int64(key) };
            (key, Value::Int64(i64::try_from(index).unwrap()))
        };
        let entries: Vec<_> = keys.iter().enumerate().map(|(index, (key, text))| entry(index, *key, *text)).collect();
        let collected: Map = entries.clone().into_iter().collect();
        let mut inserted = Map::new();
        for (key, value) in entries {
            inserted.insert(key, value);
        }
        let list = |map: &Map| map.iter().map(|(k, v)| (k.clone(), v.clone())).collect::<Vec<_>>();
        prop_assert_eq!(list(&collected), list(&inserted));
    }

    #[test]
    fn the_order_of_a_map_does_not_matter_for_equality(mut keys in prop::collection::hash_set(any::<i32>(), 0..40)) {
        let forward: Vec<i32> = keys.drain().collect();
        let map = |keys: &mut dyn Iterator<Item = &i32>| keys.map(|k| (Value::Int32(*k), Value::Null)).collect::<Map>();
        let (a, b) = (map(&mut forward.iter()), map(&mut forward.iter().rev()));
        prop_assert_eq!(&a, &b);
        if let Some(key) = forward.first() {
            let mut other = a.clone();
            other.insert(Value::Int32(*key), Value::Boolean(true));
            prop_assert_ne!(a, other);
        }
    }
}
