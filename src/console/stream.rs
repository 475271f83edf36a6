//! `GET /_contrail/events/stream`: new events as they are stored, as server-sent events.
//!
//! A reader's place is in the order of arrival, so that nothing is missed silently: it gets every row that came after
//! its place and passes its filter, or one `gap`.

use crate::console::Console;
use crate::console::bounded_reader;
use crate::console::parameters::Parameters;
use crate::console::refusal::Refusal;
use crate::console::rows::{RecordMembers, Row};
use crate::domain::event_filter::EventFilter;
use crate::guard::Ours;
use crate::recorder::arrivals::{Position, Since};
use crate::store::{Session, StoreResult};
use actix_web::{HttpRequest, HttpResponse, web};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Readers at a time.
pub(super) const MAX_READERS: usize = 64;

/// How long a message waits for what arrives right behind: at most four a second, however fast events come.
const PAUSE: Duration = Duration::from_millis(250);

/// When nothing comes, a sign of life after so long.
const SIGN_OF_LIFE: Duration = Duration::from_secs(15);

/// The places for readers.
#[derive(Debug, Clone)]
pub(super) struct Places(Arc<Semaphore>);

impl Default for Places {
    fn default() -> Places {
        Places(Arc::new(Semaphore::new(MAX_READERS)))
    }
}

/// Who follows.
struct Follower {
    console: web::Data<Console>,
    filter: EventFilter,
    also: RecordMembers,
    /// Behind what it wants to read on; `None` if that is unknown.
    position: Option<Position>,
    is_first: bool,
    /// Given back when the stream ends.
    _place: OwnedSemaphorePermit,
}

/// Answers with a stream that ends when the reader goes away or the server stops.
pub(super) async fn stream(
    _: Ours,
    request: HttpRequest,
    console: web::Data<Console>,
    places: web::Data<Places>,
) -> Result<HttpResponse, Refusal> {
    let parameters = Parameters::parse(request.query_string(), &[RecordMembers::PARAMETER])?;
    let also = RecordMembers::asked(&parameters)?;
    let place = Arc::clone(&places.0).try_acquire_owned().map_err(|_| Refusal::TooManyReaders)?;
    // What was answered before is not new.
    console.handed_over.readable().await;
    let position = match request.headers().get("last-event-id") {
        None => Some(console.arrivals.now()),
        Some(id) => id.to_str().ok().and_then(Position::parse),
    };
    let follower =
        Follower { console, filter: parameters.filter, also, position, is_first: true, _place: place };
    let messages = futures_util::stream::unfold(follower, |mut follower| async move {
        let text = follower.next().await?;
        Some((Ok::<_, std::convert::Infallible>(web::Bytes::from(text)), follower))
    });
    Ok(HttpResponse::Ok()
        .content_type("text/event-stream")
        .insert_header(("x-accel-buffering", "no"))
        .streaming(messages))
}

impl Follower {
    /// The next message; `None` at the end.
    async fn next(&mut self) -> Option<String> {
        let arrivals = self.console.arrivals.clone();
        let mut text = String::new();
        if std::mem::take(&mut self.is_first) {
            // Clients come back after two seconds. From the first message on they know their place.
            text.push_str("retry: 2000\n");
            if let Some(position) = self.position {
                text.push_str(&format!("id: {position}\n\n"));
                return Some(text);
            }
        } else if let Some(position) = self.position {
            match tokio::time::timeout(SIGN_OF_LIFE, arrivals.wait(position)).await {
                Err(_) => return Some(": alive\n\n".to_owned()),
                Ok(false) => return None,
                // Together with what comes right behind.
                Ok(true) => tokio::time::sleep(PAUSE).await,
            }
        }
        let (since, now) = match self.position {
            Some(position) => arrivals.since(position),
            None => (Since::Gap, arrivals.now()),
        };
        self.position = Some(now);
        text.push_str(&format!("id: {now}\n"));
        match since {
            Since::Gap => text.push_str("event: gap\ndata: {}\n"),
            Since::Keys(keys) => match self.rows(&keys).await {
                Ok(Some(rows)) => text.push_str(&format!("event: events\ndata: {rows}\n")),
                Ok(None) => {}
                Err(error) => {
                    // The client comes back and asks for the same again.
                    tracing::error!(error = %error, "new events could not be read for a follower");
                    return None;
                }
            },
        }
        text.push('\n');
        Some(text)
    }

    /// The rows of these keys that pass the filter, as JSON; `None` if there are none.
    async fn rows(&self, keys: &[i64]) -> StoreResult<Option<String>> {
        if keys.is_empty() {
            return Ok(None);
        }
        // They are stored, or nothing would be known of them.
        let mut session = bounded_reader(&self.console).await?;
        let events = session.events().of_keys(&self.filter, keys).await?;
        let rows = Row::all(&events, &self.also, session.events()).await?;
        // Rows are plain data, which always becomes JSON, on one line.
        let json = serde_json::to_string(&rows).unwrap_or_default();
        Ok((!events.is_empty()).then_some(json))
    }
}
