//! Known answers in the format of the NIST submissions: `name = hexadecimal digits` on each line.

/// A field as bytes.
pub fn field(file: &str, name: &str) -> Vec<u8> {
    let mut fields = file.lines().filter_map(|line| line.split_once(" = "));
    let found = fields.find(|(found, _)| *found == name);
    hex::decode(found.unwrap_or_else(|| panic!("no field `{name}`")).1).unwrap()
}

/// The signature in a signed message.
///
/// Falcon's signed message is: length of the signature, nonce, message, signature; a signature alone is its first byte
/// with the bit for compression, nonce, the rest. That of SPHINCS+ is the signature, then the message.
pub fn signature(file: &str, falcon: bool) -> Vec<u8> {
    let (message, signed) = (field(file, "msg"), field(file, "sm"));
    if !falcon {
        let (signature, same) = signed.split_at(signed.len() - message.len());
        assert_eq!(same, message);
        return signature.to_vec();
    }
    let (length, rest) = signed.split_at(2);
    let (nonce, rest) = rest.split_at(40);
    let (same, tail) = rest.split_at(message.len());
    assert_eq!(same, message);
    assert_eq!(
        tail.len(),
        usize::from(length[0]) << 8 | usize::from(length[1])
    );
    [&[tail[0] | 0x10], nonce, &tail[1..]].concat()
}
