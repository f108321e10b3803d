//! Any two files are compared without a panic.
#![no_main]

use aivm_abi::{Bisect, TranscriptFile, bisect};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|files: (&[u8], &[u8])| {
    let (Ok(a), Ok(b)) = (
        TranscriptFile::parse(files.0),
        TranscriptFile::parse(files.1),
    ) else {
        return;
    };
    let _ = a.verify();
    if files.0 == files.1 {
        assert!(matches!(
            bisect(&a, &b),
            Bisect::Equal | Bisect::BeyondKept { .. }
        ));
    } else {
        let _ = bisect(&a, &b);
    }
});
