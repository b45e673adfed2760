//! The splitter against a slow reference that looks at one byte after the other.

use proptest::prelude::*;

use super::*;

/// Feeds `content` in reads of at most `step` bytes and takes every line.
fn split(content: &[u8], step: usize, start: usize) -> Vec<Line> {
    let mut lines = Lines::new(i64::try_from(start).unwrap(), false);
    let mut rest = &content[start..];
    let mut out = Vec::new();
    loop {
        while let Some(line) = lines.next() {
            out.push(line);
        }
        let count = lines
            .refill(|buffer, wanted| {
                let (now, later) = rest.split_at(rest.len().min(step).min(wanted));
                buffer.extend_from_slice(now);
                rest = later;
                Ok(now.len())
            })
            .unwrap();
        if count == 0 {
            return out;
        }
    }
}

/// Lines and the positions after them, found byte by byte.
fn reference(content: &[u8]) -> Vec<Line> {
    let mut out = Vec::new();
    let (mut start, mut at) = (0, 0);
    while at < content.len() {
        let end = at;
        at += match (content[at], content.get(at + 1)) {
            (b'\r', Some(b'\n')) => 2,
            (b'\r', Some(_)) | (b'\n', _) => 1,
            (b'\r', None) => return out,
            _ => {
                at += 1;
                continue;
            }
        };
        out.push(Line {
            text: String::from_utf8_lossy(&content[start..end]).into_owned().into(),
            position: i64::try_from(at).unwrap(),
        });
        start = at;
    }
    out
}

fn texts(lines: &[Line]) -> Vec<&str> {
    lines.iter().map(|line| line.text.as_ref()).collect()
}

#[test]
fn every_terminator_ends_a_line_and_positions_count_bytes() {
    let lines = split("a\nä\r\nb\r\r\nc".as_bytes(), 100, 0);
    assert_eq!(texts(&lines), ["a", "ä", "b", ""]);
    let positions: Vec<i64> = lines.iter().map(|line| line.position).collect();
    assert_eq!(positions, [2, 6, 8, 10]);
}

#[test]
fn a_trailing_carriage_return_waits_for_the_next_byte() {
    assert_eq!(texts(&split(b"a\r", 100, 0)), [""; 0]);
    assert_eq!(texts(&split(b"a\r\n", 2, 0)), ["a"]);
    assert_eq!(texts(&split(b"a\rb", 2, 0)), ["a"]);
}

#[test]
fn a_line_longer_than_many_reads_comes_whole() {
    let long = "x".repeat(3 * READ_BLOCK + 17);
    let content = format!("first\n{long}\nlast\n");
    for step in [1000, READ_BLOCK, usize::MAX] {
        assert_eq!(
            texts(&split(content.as_bytes(), step, 0)),
            ["first", &long, "last"]
        );
    }
}

#[test]
fn bytes_that_are_not_utf_8_are_replaced_in_their_line_only() {
    let lines = split(b"sch\xf6n\nsch\xc3\xb6n\n", 100, 0);
    assert_eq!(texts(&lines), ["sch\u{fffd}n", "schön"]);
    assert_eq!(lines[1].position, 13);
}

#[test]
fn what_is_left_of_a_line_can_be_skipped() {
    let mut lines = Lines::new(5, true);
    lines
        .refill(|buffer, _| {
            buffer.extend_from_slice(b"\x80rest\nnext\n");
            Ok(11)
        })
        .unwrap();
    let line = lines.next().unwrap();
    assert_eq!((line.text.as_ref(), line.position), ("next", 16));
    assert_eq!(lines.next(), None);
}

/// Text with and without characters of several bytes, bad bytes, and every terminator.
fn content() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        4 => "[a-z äß€😀]{0,12}".prop_map(String::into_bytes),
        1 => prop::collection::vec(0x80u8..=0xff, 1..4),
        3 => Just(b"\n".to_vec()),
        2 => Just(b"\r\n".to_vec()),
        1 => Just(b"\r".to_vec()),
    ];
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn lines_do_not_depend_on_how_the_bytes_arrive(content in content(), step in 1usize..30) {
        prop_assert_eq!(split(&content, step, 0), reference(&content));
    }

    #[test]
    fn a_restart_at_any_position_loses_and_repeats_nothing(content in content(), step in 1usize..30, at in any::<prop::sample::Index>()) {
        let expected = reference(&content);
        prop_assume!(!expected.is_empty());
        let done = at.index(expected.len());
        let position = usize::try_from(expected[done].position).unwrap();
        prop_assert_eq!(&split(&content, step, position)[..], &expected[done + 1..]);
    }
}
