//! Records: built from calls ([`own_call`]), read from outside ([`intake`]), stored in batches ([`writer`]), removed
//! when they are too old ([`retention`]). Knows nothing of operations or of HTTP.

pub mod intake;
pub mod own_call;
pub mod retention;
pub mod splitter;
pub mod unpack;
pub mod writer;
