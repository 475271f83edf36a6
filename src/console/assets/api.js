//! The read API, by name. Relative addresses: the page works behind any prefix.

async function get(path, params, signal) {
  const response = await fetch(params ? `${path}?${params}` : path, {
    headers: { accept: 'application/json' },
    signal,
  });
  // The page itself is for everybody; what it shows is not.
  if (response.status === 401) location.assign('login');
  const body = await response.json().catch(() => ({}));
  if (!response.ok)
    throw Object.assign(new Error(body.error || `HTTP ${response.status}`), {
      status: response.status,
      id: body.request_id,
    });
  return body;
}
const plus = (params, extra) => {
  const p = new URLSearchParams(params);
  for (const [k, v] of Object.entries(extra)) if (v != null) p.set(k, v);
  return p;
};

export const events = (params, before, signal) =>
  get('events', plus(params, { order: 'desc', view: 'rows', limit: 200, before }), signal);
export const failing = () => get('failing');
export const histogram = (params, buckets, signal) => get('events/histogram', plus(params, { buckets }), signal);
export const facets = (params, signal, extra = {}) => get('events/facets', plus(params, extra), signal);
export const event = (id, signal) => get('events/' + encodeURIComponent(id), null, signal);
export const address = (params, extra) => `events?${plus(params, extra)}`;
export const scopes = () => get('scopes');
export const trails = () => get('trails');
export const server = () => get('server');

/** How long a refused live tail waits before it asks again, in ms. */
const RETRY = 3000;

/**
 * Live tail. Calls back with new rows; the browser reconnects and resumes by Last-Event-ID. States: `open`, `retrying`, `gap`;
 * with why: `full` when all places are taken, `refused`.
 */
export function follow(params, onRows, onState) {
  const p = new URLSearchParams(params);
  p.delete('from');
  p.delete('to');
  const address = 'events/stream?' + p;
  let source = null,
    timer = null;
  const ends = new AbortController();
  const open = () => {
    source = new EventSource(address);
    source.addEventListener('events', (e) => onRows(JSON.parse(e.data)));
    source.addEventListener('gap', () => onState('gap'));
    source.onopen = () => onState('open');
    source.onerror = async () => {
      if (source.readyState !== EventSource.CLOSED) return onState('retrying');
      // It was refused: the browser neither says why nor tries again.
      const why = await refusal(address, ends.signal);
      if (ends.signal.aborted) return;
      onState(why ? why.state : 'retrying', why?.text);
      timer = setTimeout(open, why ? RETRY : 0);
    };
  };
  open();
  return () => {
    ends.abort();
    source.close();
    clearTimeout(timer);
  };
}
/** Why a stream is refused; nothing if it is not any more. */
async function refusal(address, signal) {
  const asked = new AbortController();
  signal.addEventListener('abort', () => asked.abort());
  try {
    const response = await fetch(address, { signal: asked.signal });
    if (response.status === 401) location.assign('login');
    if (!response.ok)
      return { state: response.status === 503 ? 'full' : 'refused', text: (await response.json()).error };
    // Else it would go on, and take a place.
    asked.abort();
    return null;
  } catch (error) {
    return { state: 'retrying', text: error.message };
  }
}
