//! The query of a request. Unknown parameters are ignored, because nobody asks for them.

use percent_encoding::percent_decode_str;

#[derive(Debug, Default)]
pub(crate) struct Query(Vec<(String, String)>);

impl Query {
    pub(crate) fn parse(raw: Option<&str>) -> Self {
        let pairs = raw.unwrap_or_default().split('&').filter(|pair| !pair.is_empty());
        let decoded = pairs.map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decode(name), decode(value))
        });
        Self(decoded.collect())
    }

    /// Every value of a parameter, in order.
    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0
            .iter()
            .filter(move |(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// `None` also for an empty value.
    pub(crate) fn text<'a>(&'a self, name: &'a str) -> Option<&'a str> {
        self.all(name).next().filter(|value| !value.is_empty())
    }

    /// `true` in any case is true, absent or empty is the default, any other text is false.
    pub(crate) fn flag(&self, name: &str, default: bool) -> bool {
        self.text(name)
            .map_or(default, |value| value.eq_ignore_ascii_case("true"))
    }
}

fn decode(text: &str) -> String {
    percent_decode_str(&text.replace('+', " "))
        .decode_utf8_lossy()
        .into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_boolean_is_true_in_any_case_and_false_for_any_other_text() {
        let flag = |raw: &str, default| Query::parse(Some(raw)).flag("f", default);
        for (raw, default, expected) in [
            ("f=true", false, true),
            ("f=True", false, true),
            ("f=TRUE&g=1", false, true),
            ("f=bogus", true, false),
            ("f=1", true, false),
            ("f=", true, true),
            ("f", false, false),
            ("", true, true),
            ("g=true", false, false),
        ] {
            assert_eq!(flag(raw, default), expected, "{raw} {default}");
        }
    }

    #[test]
    fn a_repeated_parameter_gives_all_its_values_in_order() {
        let query = Query::parse(Some("expand=info&expand[]=x&expand=status&expand=a%20b+c"));
        assert_eq!(
            query.all("expand").collect::<Vec<_>>(),
            ["info", "status", "a b c"]
        );
    }
}
