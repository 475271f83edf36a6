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
export const histogram = (params, buckets, signal) => get('events/histogram', plus(params, { buckets }), signal);
export const facets = (params, signal, extra = {}) => get('events/facets', plus(params, extra), signal);
export const event = (id, signal) => get('events/' + encodeURIComponent(id), null, signal);
export const address = (params, extra) => `events?${plus(params, extra)}`;
export const scopes = () => get('scopes');
export const trails = () => get('trails');
export const server = () => get('server');

/** Live tail. Calls back with new rows; the browser reconnects and resumes by Last-Event-ID. */
export function follow(params, onRows, onState) {
  const p = new URLSearchParams(params);
  p.delete('from');
  p.delete('to');
  const source = new EventSource('events/stream?' + p);
  source.addEventListener('events', (e) => onRows(JSON.parse(e.data)));
  source.addEventListener('gap', () => onState('gap'));
  source.onopen = () => onState('open');
  source.onerror = () => onState(source.readyState === EventSource.CLOSED ? 'closed' : 'retrying');
  return () => source.close();
}
