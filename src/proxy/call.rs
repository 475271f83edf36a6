//! A forwarded call under way, from its first byte until it is handed to the recorder.

use super::body_copy::BodyCopy;
use crate::recorder::exchange::{Exchange, Reply};
use crate::recorder::forwarded_calls::{ForwardedCalls, Room};
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

    /// The call is complete.
    pub(super) fn hand_over(&mut self) {
        let Some(mut exchange) = self.exchange.take() else { return };
        exchange.body = self.request_body.take();
        if let (Some(reply), Some(body)) = (&mut exchange.reply, &self.reply_body) {
            reply.body = body.take();
        }
        match self.room.take() {
            Some(room) => self.calls.offer_into(room, exchange),
            None => self.calls.offer(exchange),
        }
    }
}

impl Drop for ForwardedCall {
    fn drop(&mut self) {
        self.hand_over();
    }
}
