//! An answer of a server, read line by line as it comes.

use reqwest::Response;
use std::collections::VecDeque;
use std::error::Error;

/// The longest line: a record with what surrounds it in JSON is far shorter.
const LONGEST: usize = 64 * 1024 * 1024;

/// The lines of a body.
pub(super) struct Lines {
    response: Response,
    /// Lines that have come, without their ends.
    ready: VecDeque<String>,
    /// The beginning of the next one.
    rest: Vec<u8>,
}

impl Lines {
    pub(super) fn of(response: Response) -> Lines {
        Lines { response, ready: VecDeque::new(), rest: Vec::new() }
    }

    /// The next line without its end; `None` behind the last.
    ///
    /// # Errors
    /// The connection broke, or what comes is no text in lines.
    pub(super) async fn next(&mut self) -> Result<Option<String>, Box<dyn Error>> {
        loop {
            if let Some(line) = self.ready.pop_front() {
                return Ok(Some(line));
            }
            let Some(chunk) = self.response.chunk().await.map_err(reqwest::Error::without_url)? else {
                let last = std::mem::take(&mut self.rest);
                return Ok(if last.is_empty() { None } else { Some(String::from_utf8(last)?) });
            };
            let mut pieces = chunk.split(|byte| *byte == b'\n');
            // There is always one; it ends the line that has begun.
            self.rest.extend_from_slice(pieces.next().unwrap_or_default());
            for piece in pieces {
                let line = std::mem::replace(&mut self.rest, piece.to_vec());
                self.ready.push_back(String::from_utf8(line)?);
            }
            if self.rest.len() > LONGEST {
                return Err("a line of the answer does not end".into());
            }
        }
    }
}
