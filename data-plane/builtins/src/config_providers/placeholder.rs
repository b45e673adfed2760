//! Placeholders in the text of a value: `${provider:key}` or `${provider:path:key}`.

/// A part of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Piece<'a> {
    Text(&'a str),
    Placeholder {
        whole: &'a str,
        provider: &'a str,
        /// Empty when there is none.
        path: &'a str,
        key: &'a str,
    },
}

/// Divides a value. There is no way to escape a placeholder; a path has no colon in it, a key may have.
pub(super) fn pieces(value: &str) -> impl Iterator<Item = Piece<'_>> {
    let mut rest = value;
    let mut pending = None;
    std::iter::from_fn(move || {
        if let Some(placeholder) = pending.take() {
            return Some(placeholder);
        }
        if rest.is_empty() {
            return None;
        }
        let Some((text, placeholder, after)) = next_placeholder(rest) else {
            return Some(Piece::Text(std::mem::take(&mut rest)));
        };
        rest = after;
        if text.is_empty() {
            return Some(placeholder);
        }
        pending = Some(placeholder);
        Some(Piece::Text(text))
    })
}

/// The text before the next placeholder, the placeholder, and what follows.
fn next_placeholder(text: &str) -> Option<(&str, Piece<'_>, &str)> {
    let mut from = 0;
    loop {
        let start = from + text.get(from..)?.find("${")?;
        let inside = text.get(start + 2..)?;
        let end = inside.find('}')?;
        let (inner, after) = inside.split_at(end);
        if let Some((provider, rest)) = inner.split_once(':') {
            let (path, key) = rest.split_once(':').unwrap_or(("", rest));
            let whole = text.get(start..start + 2 + end + 1)?;
            let placeholder = Piece::Placeholder {
                whole,
                provider,
                path,
                key,
            };
            return Some((text.get(..start)?, placeholder, after.get(1..)?));
        }
        from = start + 2;
    }
}
