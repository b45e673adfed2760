//! What sort of file a keystore or truststore is: by its content, since people leave `ssl.*.type` at its default of JKS,
//! which a JVM reads PKCS#12 files with as well.

use std::fs::File;
use std::io::{self, Read};

/// PEM files may begin with text, but not with a book.
const HEAD_BYTES: u64 = 64 << 10;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum StoreKind {
    Pem,
    Pkcs12,
    Jks,
    Unknown,
}

impl StoreKind {
    pub(super) fn of_file(path: &str) -> io::Result<Self> {
        let mut head = Vec::new();
        File::open(path)?.take(HEAD_BYTES).read_to_end(&mut head)?;
        Ok(Self::of(&head))
    }

    fn of(head: &[u8]) -> Self {
        match head {
            // JKS and its relative JCEKS.
            [0xfe, 0xed, 0xfe, 0xed, ..] | [0xce, 0xce, 0xce, 0xce, ..] => Self::Jks,
            _ if head.windows(11).any(|window| window == b"-----BEGIN ") => Self::Pem,
            // A DER sequence.
            [0x30, ..] => Self::Pkcs12,
            _ => Self::Unknown,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::StoreKind;

    #[test]
    fn stores_are_told_apart_by_their_content() {
        let cases: [(&[u8], StoreKind); 5] = [
            (b"\xfe\xed\xfe\xed\0\0\0\x02", StoreKind::Jks),
            (b"\xce\xce\xce\xce\0\0\0\x02", StoreKind::Jks),
            (b"\x30\x82\x0a\x01", StoreKind::Pkcs12),
            (
                b"Bag Attributes\n-----BEGIN CERTIFICATE-----\nMII",
                StoreKind::Pem,
            ),
            (b"hello", StoreKind::Unknown),
        ];
        for (head, kind) in cases {
            assert_eq!(StoreKind::of(head), kind, "{head:?}");
        }
    }
}
