//! Page tokens: none is taken that was not given out, and of those not one letter may be another.
#![no_main]

use contrail::domain::page_token::{TokenKey, TokenScope, open, seal};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: (&str, &str, i64, usize)| {
    let (token, name, position, at) = data;
    let key = TokenKey::new([7; 32]);
    let scope = TokenScope::new("events").with(Some(name));
    // With the other key nothing is ever sealed: the fuzzer sees what is.
    let unused = TokenKey::new([9; 32]);
    assert!(open::<i64>(&unused, &scope, token).is_err());
    assert!(open::<String>(&unused, &scope, token).is_err());
    _ = (open::<i64>(&key, &scope, token), open::<String>(&key, &scope, token));
    _ = TokenKey::from_hex(token);
    let sealed = seal(&key, &scope, &position);
    assert_eq!(open::<i64>(&key, &scope, &sealed).expect("its own"), position);
    let other = TokenScope::new("events").with(Some(name)).with(None);
    assert!(open::<i64>(&key, &other, &sealed).is_err());
    if let Some(letter) = token.chars().next() {
        let at = at % sealed.len();
        let changed = format!("{}{letter}{}", &sealed[..at], &sealed[at + 1..]);
        assert_eq!(open::<i64>(&key, &scope, &changed).is_ok(), changed == sealed);
    }
});
