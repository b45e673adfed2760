//! Indented JSON in the layout that scripts around kcctl have always seen: `"name" : "value"`, lists on the line.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::Value;
use serde_json::ser::{Formatter, Serializer};

pub(super) fn pretty(value: &Value) -> String {
    let mut out = Vec::new();
    value
        .serialize(&mut Serializer::with_formatter(&mut out, Layout::default()))
        .expect("a value is written to memory");
    String::from_utf8(out).expect("JSON is UTF-8")
}

#[derive(Debug, Default)]
struct Layout {
    depth: usize,
    /// Of the list or object that ends next.
    has_content: bool,
}

impl Layout {
    fn new_line<W: ?Sized + Write>(&self, writer: &mut W) -> io::Result<()> {
        writer.write_all(b"\n")?;
        (0..self.depth).try_for_each(|_| writer.write_all(b"  "))
    }
}

impl Formatter for Layout {
    fn begin_array<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.has_content = false;
        writer.write_all(b"[ ")
    }

    fn begin_array_value<W: ?Sized + Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        if first { Ok(()) } else { writer.write_all(b", ") }
    }

    fn end_array_value<W: ?Sized + Write>(&mut self, _writer: &mut W) -> io::Result<()> {
        self.has_content = true;
        Ok(())
    }

    fn end_array<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        writer.write_all(if self.has_content { b" ]" } else { b"]" })
    }

    fn begin_object<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.depth += 1;
        self.has_content = false;
        writer.write_all(b"{")
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        if !first {
            writer.write_all(b",")?;
        }
        self.new_line(writer)
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        writer.write_all(b" : ")
    }

    fn end_object_value<W: ?Sized + Write>(&mut self, _writer: &mut W) -> io::Result<()> {
        self.has_content = true;
        Ok(())
    }

    fn end_object<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.depth -= 1;
        if self.has_content {
            self.new_line(writer)?;
        } else {
            writer.write_all(b" ")?;
        }
        writer.write_all(b"}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_layout_is_the_one_of_the_java_client() {
        let json = r#"{"name":"a","config":{"x":null},"tasks":[{"task":0},{"task":1}],"none":[],"empty":{}}"#;
        let expected = r#"{
  "name" : "a",
  "config" : {
    "x" : null
  },
  "tasks" : [ {
    "task" : 0
  }, {
    "task" : 1
  } ],
  "none" : [ ],
  "empty" : { }
}"#;
        let value: Value = serde_json::from_str(json).unwrap();
        assert_eq!(pretty(&value), expected);
        assert_eq!(serde_json::from_str::<Value>(expected).unwrap(), value);
    }
}
