//! The description of the API in the repository is true: it names the routes of the table, all of them and no others.

use std::collections::BTreeSet;

use serde_json::Value;

use super::operations::API_DESCRIPTION;
use super::routes::ROUTES;

fn description() -> Value {
    serde_json::from_str(API_DESCRIPTION).unwrap()
}

#[test]
fn every_route_is_described_and_nothing_else() {
    let routes = ROUTES.iter().flat_map(|route| {
        let verbs = route.verbs.iter();
        verbs.map(|(verb, _)| (route.pattern.to_owned(), verb.as_str().to_lowercase()))
    });
    let description = description();
    let described = description["paths"]
        .as_object()
        .unwrap()
        .iter()
        .flat_map(|(path, verbs)| {
            let verbs = verbs.as_object().unwrap().keys();
            verbs.map(|verb| (path.clone(), verb.clone()))
        });
    assert_eq!(
        described.collect::<BTreeSet<_>>(),
        routes.collect::<BTreeSet<_>>()
    );
}

#[test]
fn every_reference_of_the_description_leads_somewhere() {
    let description = description();
    let mut references = Vec::new();
    collect_references(&description, &mut references);
    assert!(!references.is_empty());
    for reference in references {
        let pointer = reference.strip_prefix('#').unwrap();
        assert!(description.pointer(pointer).is_some(), "{reference}");
    }
}

fn collect_references(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            if let Some(Value::String(reference)) = members.get("$ref") {
                found.push(reference.clone());
            }
            members
                .values()
                .for_each(|member| collect_references(member, found));
        }
        Value::Array(items) => items.iter().for_each(|item| collect_references(item, found)),
        _ => {}
    }
}

#[test]
fn the_placeholders_of_a_path_are_its_parameters() {
    let description = description();
    for (path, verbs) in description["paths"].as_object().unwrap() {
        let expected: BTreeSet<&str> = path
            .split('/')
            .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
            .collect();
        for operation in verbs.as_object().unwrap().values() {
            let parameters = operation["parameters"].as_array().into_iter().flatten();
            let resolved = parameters.map(|parameter| match parameter["$ref"].as_str() {
                Some(reference) => description.pointer(reference.strip_prefix('#').unwrap()).unwrap(),
                None => parameter,
            });
            let in_path: BTreeSet<&str> = resolved
                .filter(|parameter| parameter["in"] == "path")
                .map(|parameter| parameter["name"].as_str().unwrap())
                .collect();
            assert_eq!(in_path, expected, "{path}");
        }
    }
}
