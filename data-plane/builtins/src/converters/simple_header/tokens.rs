//! Divides a text at its brackets, commas, colons and quotes.

/// A text and how far it was read. One token may have been looked at without being taken.
#[derive(Debug)]
pub(super) struct Tokens<'a> {
    text: &'a str,
    at: usize,
    next: Option<&'a str>,
}

impl<'a> Tokens<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self {
            text,
            at: 0,
            next: None,
        }
    }

    pub(super) fn has_next(&self) -> bool {
        self.next.is_some() || self.at < self.text.len()
    }

    /// A place to come back to.
    pub(super) fn mark(&self) -> usize {
        self.at - self.next.map_or(0, str::len)
    }

    pub(super) fn rewind(&mut self, mark: usize) {
        self.at = mark;
        self.next = None;
    }

    /// The next token: a delimiter or the text before one. Empty at the end.
    pub(super) fn next(&mut self) -> &'a str {
        self.next.take().unwrap_or_else(|| self.read())
    }

    /// The text of the next `count` tokens, if there are that many; otherwise nothing is taken.
    pub(super) fn next_many(&mut self, count: usize) -> Option<&'a str> {
        let start = self.mark();
        for _ in 0..count {
            if !self.has_next() {
                self.rewind(start);
                return None;
            }
            self.next();
        }
        self.text.get(start..self.at)
    }

    /// Takes the next token if it is `expected`, blanks around it not counted.
    pub(super) fn take(&mut self, expected: &str) -> bool {
        if !self.has_next() {
            return false;
        }
        let mut token = self.next();
        while is_blank(token) && self.at < self.text.len() {
            token = self.read();
        }
        let found = trim(token) == expected;
        if !found {
            self.next = Some(token);
        }
        found
    }

    /// Takes the next token if it is exactly `expected`.
    pub(super) fn take_exactly(&mut self, expected: &str) -> bool {
        if !self.has_next() {
            return false;
        }
        let token = self.next();
        let found = token == expected;
        if !found {
            self.next = Some(token);
        }
        found
    }

    fn read(&mut self) -> &'a str {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let mut escaped = false;
        let mut length = rest.len();
        for (index, byte) in rest.bytes().enumerate() {
            match byte {
                b'\\' => escaped = !escaped,
                b':' | b',' | b'{' | b'}' | b'[' | b']' | b'"' if !escaped => {
                    length = index.max(1);
                    break;
                }
                _ => escaped = false,
            }
        }
        self.at += length;
        rest.get(..length).unwrap_or_default()
    }
}

/// Without what Java's `trim` takes away.
pub(super) fn trim(text: &str) -> &str {
    text.trim_matches(|c| c <= ' ')
}

pub(super) fn is_blank(text: &str) -> bool {
    trim(text).is_empty()
}
