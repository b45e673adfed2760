//! Reads JSON text piece by piece, as leniently and as strictly as the parser that Kafka Connect uses: numbers may have
//! leading zeros; everything else is as the standard says.

use std::borrow::Cow;

use super::kind::{Kind, SyntaxError};
use super::number::Number;
use super::scan::{Ends, run_length};
use super::unescape::unescape;
use bytestring::ByteString;

/// How deep arrays and objects may be nested.
const MAX_DEPTH: usize = 1000;
/// How long the text of a number may be.
const MAX_NUMBER_BYTES: usize = 1000;

/// A place in a JSON text.
#[derive(Clone, Debug)]
pub(super) struct Cursor<'a> {
    text: &'a ByteString,
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    /// At the beginning, after a byte order mark.
    pub(super) fn new(text: &'a ByteString) -> Self {
        let bytes = text.as_bytes();
        let at = if text.starts_with('\u{feff}') { 3 } else { 0 };
        Self { text, bytes, at }
    }

    /// At another place of the same text.
    pub(super) fn at(&self, at: usize) -> Self {
        Self { at, ..*self }
    }

    pub(super) fn position(&self) -> usize {
        self.at
    }

    pub(super) fn error(&self, problem: &'static str) -> SyntaxError {
        SyntaxError { at: self.at, problem }
    }

    /// Whether nothing but blanks is left.
    pub(super) fn is_blank(&self) -> bool {
        self.bytes[self.at..].iter().all(|&byte| is_blank(byte))
    }

    /// The text from here on.
    pub(super) fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// The text from `start` to here.
    pub(super) fn since(&self, start: usize) -> &'a str {
        self.text.get(start..self.at).unwrap_or_default()
    }

    /// Goes on by a number of bytes that [`Cursor::rest`] is known to have.
    pub(super) fn advance(&mut self, bytes: usize) {
        self.at += bytes;
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    pub(super) fn skip_blanks(&mut self) {
        while self.peek().is_some_and(is_blank) {
            self.at += 1;
        }
    }

    /// Passes `byte` if it is the next after blanks.
    pub(super) fn eat(&mut self, byte: u8) -> bool {
        self.skip_blanks();
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    /// What comes next, after blanks.
    pub(super) fn kind(&mut self) -> Result<Kind, SyntaxError> {
        self.skip_blanks();
        match self.peek() {
            Some(b'{') => Ok(Kind::Object),
            Some(b'[') => Ok(Kind::Array),
            Some(b'"') => Ok(Kind::String),
            Some(b'-' | b'0'..=b'9') => Ok(Kind::Number),
            Some(b't' | b'f') => Ok(Kind::Boolean),
            Some(b'n') => Ok(Kind::Null),
            Some(_) => Err(self.error("no value begins like this")),
            None => Err(self.error("a value is missing")),
        }
    }

    pub(super) fn null(&mut self) -> Result<(), SyntaxError> {
        self.word("null")
    }

    pub(super) fn boolean(&mut self) -> Result<bool, SyntaxError> {
        let value = self.peek() == Some(b't');
        self.word(if value { "true" } else { "false" })?;
        Ok(value)
    }

    fn word(&mut self, word: &'static str) -> Result<(), SyntaxError> {
        let Some(rest) = self.bytes[self.at..].strip_prefix(word.as_bytes()) else {
            return Err(self.error("a word that is neither null, true nor false"));
        };
        let goes_on =
            |&byte: &u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'$' || byte >= 0x80;
        if rest.first().is_some_and(goes_on) {
            return Err(self.error("a word that is neither null, true nor false"));
        }
        self.at += word.len();
        Ok(())
    }

    pub(super) fn number(&mut self) -> Result<Number<'a>, SyntaxError> {
        let start = self.at;
        self.at += usize::from(self.peek() == Some(b'-'));
        self.digits()?;
        let mut integral = true;
        if self.peek() == Some(b'.') {
            integral = false;
            self.at += 1;
            self.digits()?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            integral = false;
            self.at += 1;
            self.at += usize::from(matches!(self.peek(), Some(b'+' | b'-')));
            self.digits()?;
        }
        match self.peek() {
            Some(byte) if !is_blank(byte) && !matches!(byte, b',' | b']' | b'}') => {
                Err(self.error("a number is followed by something else"))
            }
            _ if self.at - start > MAX_NUMBER_BYTES => Err(self.error("a number is too long")),
            _ => Ok(Number::new(self.since(start), integral)),
        }
    }

    fn digits(&mut self) -> Result<(), SyntaxError> {
        let count = self.bytes[self.at..]
            .iter()
            .take_while(|byte| byte.is_ascii_digit())
            .count();
        if count == 0 {
            return Err(self.error("a digit is missing"));
        }
        self.at += count;
        Ok(())
    }

    /// A string, as a slice of the text when it has no escapes.
    pub(super) fn string(&mut self) -> Result<ByteString, SyntaxError> {
        Ok(match self.text()? {
            Cow::Borrowed(text) => self.text.slice_ref(text),
            Cow::Owned(text) => text.into(),
        })
    }

    /// A string.
    pub(super) fn text(&mut self) -> Result<Cow<'a, str>, SyntaxError> {
        let start = self.at + 1;
        if self.skip_string()? {
            return unescape(self.text.get(start..self.at - 1).unwrap_or_default())
                .map(Cow::Owned)
                .ok_or_else(|| self.at(start).error("a string has an escape that does not exist"));
        }
        Ok(Cow::Borrowed(
            self.text.get(start..self.at - 1).unwrap_or_default(),
        ))
    }

    /// Passes a string; true if it has escapes.
    fn skip_string(&mut self) -> Result<bool, SyntaxError> {
        let mut escaped = false;
        self.at += 1;
        loop {
            self.at += run_length(&self.bytes[self.at..], Ends::InJson);
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(escaped);
                }
                Some(b'\\') => {
                    escaped = true;
                    self.at += 2;
                }
                Some(_) => return Err(self.error("a string has a control character in it")),
                None => return Err(self.error("a string has no end")),
            }
            if self.at > self.bytes.len() {
                self.at = self.bytes.len();
            }
        }
    }

    /// Calls `member` for each member of an object with its name; `member` has to pass the value.
    pub(super) fn object<E: From<SyntaxError>>(
        &mut self,
        mut member: impl FnMut(&mut Self, Cow<'a, str>) -> Result<(), E>,
    ) -> Result<(), E> {
        self.at += 1;
        if self.eat(b'}') {
            return Ok(());
        }
        loop {
            let name = self.member_name()?;
            member(self, name)?;
            if self.closed(b'}')? {
                return Ok(());
            }
        }
    }

    /// Calls `element` for each element of an array; `element` has to pass it.
    pub(super) fn array<E: From<SyntaxError>>(
        &mut self,
        mut element: impl FnMut(&mut Self) -> Result<(), E>,
    ) -> Result<(), E> {
        self.at += 1;
        if self.eat(b']') {
            return Ok(());
        }
        loop {
            element(self)?;
            if self.closed(b']')? {
                return Ok(());
            }
        }
    }

    /// The name of a member; the colon is passed too.
    pub(super) fn member_name(&mut self) -> Result<Cow<'a, str>, SyntaxError> {
        self.name(Self::text)
    }

    /// [`Cursor::member_name`] as a slice of the text.
    pub(super) fn member_name_slice(&mut self) -> Result<ByteString, SyntaxError> {
        self.name(Self::string)
    }

    fn name<T>(&mut self, read: fn(&mut Self) -> Result<T, SyntaxError>) -> Result<T, SyntaxError> {
        self.skip_blanks();
        if self.peek() != Some(b'"') {
            return Err(self.error("the name of a member is missing"));
        }
        let name = read(self)?;
        if !self.eat(b':') {
            return Err(self.error("a colon is missing"));
        }
        Ok(name)
    }

    /// After an element or member: whether the array or object ends here; if not, another has to follow.
    pub(super) fn closed(&mut self, bracket: u8) -> Result<bool, SyntaxError> {
        if self.eat(b',') {
            Ok(false)
        } else if self.eat(bracket) {
            Ok(true)
        } else {
            Err(self.error("a comma or a closing bracket is missing"))
        }
    }

    /// Passes `[` or `{`; true if the array or object is empty and was passed altogether.
    pub(super) fn open(&mut self, bracket: u8, depth: usize) -> Result<bool, SyntaxError> {
        if depth >= MAX_DEPTH {
            return Err(self.error("arrays and objects are nested too deep"));
        }
        self.at += 1;
        Ok(self.eat(bracket))
    }

    /// Passes any value, checking that it is JSON.
    pub(super) fn skip(&mut self) -> Result<(), SyntaxError> {
        let mut open: Vec<u8> = Vec::new();
        loop {
            let container = match self.kind()? {
                Kind::Object => Some(b'}'),
                Kind::Array => Some(b']'),
                Kind::String => {
                    self.text()?;
                    None
                }
                Kind::Number => {
                    self.number()?;
                    None
                }
                Kind::Boolean => {
                    self.boolean()?;
                    None
                }
                Kind::Null | Kind::Missing => {
                    self.null()?;
                    None
                }
            };
            if let Some(bracket) = container
                && !self.open(bracket, open.len())?
            {
                open.push(bracket);
                self.skip_name(bracket)?;
                continue;
            }
            loop {
                let Some(&bracket) = open.last() else {
                    return Ok(());
                };
                if !self.closed(bracket)? {
                    self.skip_name(bracket)?;
                    break;
                }
                open.pop();
            }
        }
    }

    fn skip_name(&mut self, bracket: u8) -> Result<(), SyntaxError> {
        if bracket == b'}' {
            self.member_name()?;
        }
        Ok(())
    }

    /// After the value of the whole text. What follows does not matter, but a number has to end.
    pub(super) fn check_root_ended(&self, kind: Kind) -> Result<(), SyntaxError> {
        match self.peek() {
            Some(byte) if kind == Kind::Number && !is_blank(byte) => {
                Err(self.error("a number is followed by something else"))
            }
            _ => Ok(()),
        }
    }
}

fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}
