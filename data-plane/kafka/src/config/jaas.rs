//! A JAAS login entry, the value of `sasl.jaas.config`:
//! `org.apache.kafka.common.security.plain.PlainLoginModule required username="alice" password="…";`
//!
//! Errors never repeat what they could not read: it may be part of a password.

use std::fmt;
use std::iter::Peekable;
use std::str::Chars;

/// One login module with its options. They hold passwords: `Debug` shows their names only.
pub(super) struct Login {
    pub(super) module: String,
    options: Vec<(String, String)>,
}

impl Login {
    pub(super) fn parse(text: &str) -> Result<Self, &'static str> {
        let mut tokens = Tokens {
            chars: text.chars().peekable(),
        };
        let module = tokens.word("a login module")?;
        let flag = tokens.word("a control flag such as `required` after the login module")?;
        if !["required", "requisite", "sufficient", "optional"]
            .iter()
            .any(|known| flag.eq_ignore_ascii_case(known))
        {
            return Err("must have a control flag such as `required` after the login module");
        }
        let mut options = Vec::new();
        loop {
            match tokens.next()? {
                Token::End => break,
                Token::Word(name) => {
                    if tokens.next()? != Token::Equals {
                        return Err("must have a `=` after the name of each option");
                    }
                    let value = tokens.word("a value after each `=`")?;
                    options.push((name, value));
                }
                Token::Equals => return Err("must have a name before each `=`"),
                Token::Nothing => return Err("must end in `;`"),
            }
        }
        match tokens.next()? {
            Token::Nothing => Ok(Self { module, options }),
            Token::Word(_) | Token::Equals | Token::End => Err("must have exactly one login module"),
        }
    }

    /// The class without its package.
    pub(super) fn module_name(&self) -> &str {
        self.module.rsplit('.').next().unwrap_or(&self.module)
    }

    pub(super) fn option(&self, name: &str) -> Option<&str> {
        self.options
            .iter()
            .rfind(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }

    /// The options that begin with `prefix`, without it.
    pub(super) fn options_with<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
        let named =
            move |(name, value): &'a (String, String)| Some((name.strip_prefix(prefix)?, value.as_str()));
        self.options.iter().filter_map(named)
    }
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.options.iter().map(|(name, _)| name).collect();
        f.debug_struct("Login")
            .field("module", &self.module)
            .field("options", &names)
            .finish()
    }
}

#[derive(PartialEq, Eq)]
enum Token {
    Word(String),
    Equals,
    End,
    Nothing,
}

struct Tokens<'a> {
    chars: Peekable<Chars<'a>>,
}

impl Tokens<'_> {
    fn word(&mut self, what: &'static str) -> Result<String, &'static str> {
        match self.next()? {
            Token::Word(word) => Ok(word),
            Token::Equals | Token::End | Token::Nothing => Err(match what {
                "a login module" => "must begin with a login module",
                "a value after each `=`" => "must have a value after each `=`",
                _ => "must have a control flag such as `required` after the login module",
            }),
        }
    }

    fn next(&mut self) -> Result<Token, &'static str> {
        while self.chars.next_if(|c| c.is_whitespace()).is_some() {}
        let Some(first) = self.chars.next() else {
            return Ok(Token::Nothing);
        };
        match first {
            '=' => Ok(Token::Equals),
            ';' => Ok(Token::End),
            '"' | '\'' => self.quoted(first).map(Token::Word),
            first => {
                let mut word = String::from(first);
                while let Some(c) = self
                    .chars
                    .next_if(|c| !c.is_whitespace() && !['=', ';', '"', '\''].contains(c))
                {
                    word.push(c);
                }
                Ok(Token::Word(word))
            }
        }
    }

    fn quoted(&mut self, quote: char) -> Result<String, &'static str> {
        let mut text = String::new();
        loop {
            match self.chars.next() {
                Some(c) if c == quote => return Ok(text),
                Some('\\') => match self.chars.next() {
                    Some('n') => text.push('\n'),
                    Some('t') => text.push('\t'),
                    Some('r') => text.push('\r'),
                    Some(c) => text.push(c),
                    None => return Err("must end each value with a quote"),
                },
                Some(c) => text.push(c),
                None => return Err("must end each value with a quote"),
            }
        }
    }
}
