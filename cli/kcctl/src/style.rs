//! Colours, and whether there are any. A colour never says what the text does not.

const RED: &str = "\u{1b}[31m";
const GREEN: &str = "\u{1b}[32m";
const YELLOW: &str = "\u{1b}[33m";
const BOLD: &str = "\u{1b}[37;1m";
const HIGHLIGHT: &str = "\u{1b}[107m\u{1b}[30m\u{1b}[1m";
const RESET: &str = "\u{1b}[0m";

/// Paints for one stream: a terminal that wants colours, or not.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Style {
    enabled: bool,
}

impl Style {
    pub(crate) fn new(enabled: bool) -> Self {
        Self { enabled }
    }

    pub(crate) fn red(self, text: &str) -> String {
        self.paint(RED, text)
    }

    pub(crate) fn heading(self, text: &str) -> String {
        self.paint(BOLD, text)
    }

    /// What a search found.
    pub(crate) fn found(self, text: &str) -> String {
        self.paint(HIGHLIGHT, text)
    }

    /// Paints every state that a text names.
    pub(crate) fn states(self, text: &str) -> String {
        let paint = |word: &str| match word {
            "RUNNING" => self.paint(GREEN, word),
            "PAUSED" | "STOPPED" | "UNASSIGNED" => self.paint(YELLOW, word),
            "FAILED" => self.paint(RED, word),
            other => other.to_owned(),
        };
        let mut out = String::with_capacity(text.len());
        for piece in text.split_inclusive(|c: char| !c.is_ascii_uppercase()) {
            let word = piece.trim_end_matches(|c: char| !c.is_ascii_uppercase());
            out.push_str(&paint(word));
            out.push_str(piece.strip_prefix(word).unwrap_or_default());
        }
        out
    }

    fn paint(self, colour: &str, text: &str) -> String {
        if self.enabled && !text.is_empty() {
            format!("{colour}{text}{RESET}")
        } else {
            text.to_owned()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_has_its_colour_and_the_rest_has_none() {
        let style = Style::new(true);
        assert_eq!(
            style.states("0: RUNNING, 1: FAILED, 2: RESTARTING"),
            "0: \u{1b}[32mRUNNING\u{1b}[0m, 1: \u{1b}[31mFAILED\u{1b}[0m, 2: RESTARTING"
        );
        for state in ["PAUSED", "STOPPED", "UNASSIGNED"] {
            assert_eq!(style.states(state), format!("\u{1b}[33m{state}\u{1b}[0m"));
        }
    }

    #[test]
    fn without_colours_a_text_stays_as_it_is() {
        let style = Style::new(false);
        assert_eq!(style.states("0: RUNNING"), "0: RUNNING");
        assert_eq!(style.red("x") + &style.heading("y") + &style.found("z"), "xyz");
    }
}
