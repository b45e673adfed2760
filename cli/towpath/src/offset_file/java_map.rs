//! The bytes of a Java-serialized `HashMap<byte[], byte[]>`: the form of the offset file of a standalone worker. Nothing
//! else of Java's serialization is read.

/// One entry; a null value stands for a deleted offset.
pub(super) type Entry = (Vec<u8>, Option<Vec<u8>>);

/// Why bytes are no such map.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum JavaMapError {
    #[error("the file ends in the middle of an entry")]
    Truncated,
    #[error("the file is no serialized java.util.HashMap of byte arrays (at byte {at})")]
    Unexpected { at: usize },
}

const STREAM_HEADER: &[u8] = &[0xac, 0xed, 0x00, 0x05];
/// TC_OBJECT, then the class description of HashMap: name, serialVersionUID, flags, and its two fields.
const MAP_CLASS: &[u8] =
    b"\x73\x72\x00\x11java.util.HashMap\x05\x07\xda\xc1\xc3\x16\x60\xd1\x03\x00\x02F\x00\x0aloadFactorI\x00\x09threshold\x78\x70";
/// The class description of `byte[]`, written with the first array.
const ARRAY_CLASS: &[u8] = b"\x75\x72\x00\x02[B\xac\xf3\x17\xf8\x06\x08\x54\xe0\x02\x00\x00\x78\x70";
/// A reference to that description, written with every further array.
const ARRAY_AGAIN: &[u8] = b"\x75\x71\x00\x7e\x00\x02";
const LOAD_FACTOR: [u8; 4] = [0x3f, 0x40, 0x00, 0x00];
const BLOCK_OF_8: [u8; 2] = [0x77, 0x08];
const TC_NULL: u8 = 0x70;
const END_OF_BLOCK: u8 = 0x78;
/// Smallest table of a `HashMap`.
const MIN_CAPACITY: u32 = 16;

/// Reads the entries.
pub(super) fn read(bytes: &[u8]) -> Result<Vec<Entry>, JavaMapError> {
    let mut reader = Reader { bytes, at: 0 };
    reader.expect(STREAM_HEADER)?;
    reader.expect(MAP_CLASS)?;
    reader.expect(&LOAD_FACTOR)?;
    let _threshold = reader.int()?;
    reader.expect(&BLOCK_OF_8)?;
    let _capacity = reader.int()?;
    let size = reader.int()?;
    let mut entries = Vec::new();
    for _ in 0..size {
        let at = reader.at;
        let key = reader.array()?.ok_or(JavaMapError::Unexpected { at })?;
        entries.push((key, reader.array()?));
    }
    reader.expect(&[END_OF_BLOCK])?;
    Ok(entries)
}

/// Writes keys and values so that Java reads them.
pub(super) fn write<'a>(entries: impl ExactSizeIterator<Item = (&'a [u8], Option<&'a [u8]>)>) -> Vec<u8> {
    let size =
        u32::try_from(entries.len()).expect("offsets fit into memory, and so their number into 32 bits");
    let mut capacity = MIN_CAPACITY;
    while capacity / 4 * 3 < size {
        capacity *= 2;
    }
    let mut out = [STREAM_HEADER, MAP_CLASS, &LOAD_FACTOR].concat();
    out.extend((capacity / 4 * 3).to_be_bytes());
    out.extend(BLOCK_OF_8);
    out.extend(capacity.to_be_bytes());
    out.extend(size.to_be_bytes());
    let mut class_is_written = false;
    for (key, value) in entries {
        write_array(&mut out, key, &mut class_is_written);
        match value {
            Some(value) => write_array(&mut out, value, &mut class_is_written),
            None => out.push(TC_NULL),
        }
    }
    out.push(END_OF_BLOCK);
    out
}

fn write_array(out: &mut Vec<u8>, bytes: &[u8], class_is_written: &mut bool) {
    out.extend(if std::mem::replace(class_is_written, true) {
        ARRAY_AGAIN
    } else {
        ARRAY_CLASS
    });
    let length = u32::try_from(bytes.len()).expect("an offset is a small JSON text");
    out.extend(length.to_be_bytes());
    out.extend(bytes);
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize) -> Result<&'a [u8], JavaMapError> {
        let end = self.at.checked_add(length).ok_or(JavaMapError::Truncated)?;
        let taken = self.bytes.get(self.at..end).ok_or(JavaMapError::Truncated)?;
        self.at = end;
        Ok(taken)
    }

    fn expect(&mut self, expected: &[u8]) -> Result<(), JavaMapError> {
        let at = self.at;
        if self.take(expected.len())? == expected {
            Ok(())
        } else {
            Err(JavaMapError::Unexpected { at })
        }
    }

    fn int(&mut self) -> Result<u32, JavaMapError> {
        let bytes = self.take(4)?.try_into().map_err(|_| JavaMapError::Truncated)?;
        Ok(u32::from_be_bytes(bytes))
    }

    fn array(&mut self) -> Result<Option<Vec<u8>>, JavaMapError> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        if rest.first() == Some(&TC_NULL) {
            self.at += 1;
            return Ok(None);
        }
        let class = if rest.starts_with(ARRAY_AGAIN) {
            ARRAY_AGAIN
        } else {
            ARRAY_CLASS
        };
        self.expect(class)?;
        let length = usize::try_from(self.int()?).map_err(|_| JavaMapError::Truncated)?;
        self.take(length).map(|bytes| Some(bytes.to_vec()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RECORDED: &[u8] = include_bytes!("../../tests/golden/standalone-4.3.1.offsets");

    fn written(entries: &[Entry]) -> Vec<u8> {
        let entries = entries.iter();
        write(entries.map(|(key, value)| (key.as_slice(), value.as_deref())))
    }

    #[test]
    fn what_java_wrote_is_read_and_written_back_byte_by_byte() {
        let entries = read(RECORDED).unwrap();
        assert_eq!(entries.len(), 2);
        assert_eq!(written(&entries), RECORDED);
    }

    #[test]
    fn nulls_and_many_entries_survive() {
        let entries: Vec<Entry> = (0..100u8)
            .map(|n| (vec![n], (n % 3 != 0).then(|| vec![n; usize::from(n)])))
            .collect();
        assert_eq!(read(&written(&entries)).unwrap(), entries);
    }

    #[test]
    fn a_file_that_is_cut_or_no_map_is_refused() {
        assert_eq!(read(&RECORDED[..100]), Err(JavaMapError::Truncated));
        assert_eq!(
            read(b"position=3 and some more text"),
            Err(JavaMapError::Unexpected { at: 0 })
        );
    }
}
