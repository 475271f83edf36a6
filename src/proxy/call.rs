//! A forwarded call under way, from its first byte until it is handed to the recorder.

use super::body_copy::BodyCopy;
use crate::recorder::exchange::{Exchange, Reply};
use crate::recorder::forwarded_calls::{ForwardedCalls, NotRecorded, Recording, Room};
use chrono::{DateTime, Utc};

/// A call under way. Given to the recorder once: when it is complete, or when its caller has gone away.
pub(super) struct ForwardedCall {
    /// Without its bodies. There until it is handed over.
    exchange: Option<Exchange>,
    request_body: BodyCopy,
    /// There as soon as the reply's head is.
    pub(super) reply_body: Option<BodyCopy>,
    calls: ForwardedCalls,
    /// Room for its record, where there has to be some.
    room: Option<Room>,
}

impl ForwardedCall {
    /// A call to which nobody has replied.
    pub(super) fn new(
        exchange: Exchange,
        request_body: BodyCopy,
        calls: ForwardedCalls,
        room: Option<Room>,
    ) -> ForwardedCall {
        ForwardedCall { exchange: Some(exchange), request_body, reply_body: None, calls, room }
    }

    /// A reply came, without its body; AWS's records have this time.
    pub(super) fn replied(&mut self, reply: Reply, time: DateTime<Utc>) {
        if let Some(exchange) = &mut self.exchange {
            exchange.reply = Some(reply);
            exchange.time = time;
        }
    }

    /// The call is complete. Where its record has to be on disk before the caller has the whole answer, what to wait for.
    pub(super) fn hand_over(&mut self) -> Option<Recording> {
        let mut exchange = self.exchange.take()?;
        exchange.body = self.request_body.take();
        if let (Some(reply), Some(body)) = (&mut exchange.reply, &self.reply_body) {
            reply.body = body.take();
        }
        match self.room.take() {
            Some(room) => Some(self.calls.offer_into(room, exchange)),
            None => {
                self.calls.offer(exchange);
                None
            }
        }
    }

    /// The call is complete; waits for its record where that has to be on disk first.
    ///
    /// # Errors
    /// It has to be, and could not be stored.
    pub(super) async fn recorded(&mut self) -> Result<(), NotRecorded> {
        match self.hand_over() {
            Some(recording) => recording.await,
            None => Ok(()),
        }
    }
}

impl Drop for ForwardedCall {
    fn drop(&mut self) {
        // There is no caller that could wait.
        let _ = self.hand_over();
    }
}
