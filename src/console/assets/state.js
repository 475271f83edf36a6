//! What the page shows is one value, and that value is the URL. Nothing else decides what is on screen.
import { OPTIONAL } from './columns.js';

export const FIELDS = {
  service: { param: 'event_source', label: 'Service' },
  event: { param: 'event_name', label: 'Event' },
  actor: { param: 'username', label: 'Actor' },
  error: { param: 'error_code', label: 'Error' },
  key: { param: 'access_key', label: 'Access key' },
  resource: { param: 'resource', label: 'Resource' },
  ip: { param: 'source_ip', label: 'Source IP' },
  region: { param: 'region', label: 'Region' },
  account: { param: 'account', label: 'Account' },
  type: { param: 'actor_type', label: 'Identity type' },
};
export const RANGES = [
  ['15m', 900],
  ['1h', 3600],
  ['2h', 7200],
  ['6h', 21600],
  ['24h', 86400],
  ['7d', 604800],
  ['30d', 2592000],
  ['90d', 7776000],
];
export const SECONDS = Object.fromEntries(RANGES);
const DEFAULT_RANGE = '24h';

/** Columns as the address has them: names with commas, or `none`. Other names than those known are left out. */
const columnsOf = (text) =>
  text == null ? null : Object.keys(OPTIONAL).filter((key) => text.split(',').includes(key));

export function parse(search) {
  const p = new URLSearchParams(search);
  const filters = {};
  for (const field of Object.keys(FIELDS)) if (p.has(field)) filters[field] = p.getAll(field);
  const number = (name) => (/^\d+$/.test(p.get(name) || '') ? Number(p.get(name)) : null);
  const from = number('from'),
    to = number('to');
  return {
    view: ['trails', 'server'].includes(p.get('view')) ? p.get('view') : 'events',
    range: from != null && to != null ? null : SECONDS[p.get('range')] ? p.get('range') : DEFAULT_RANGE,
    from,
    to,
    filters,
    rw: ['read', 'write'].includes(p.get('rw')) ? p.get('rw') : null,
    errors: p.get('errors') === '1',
    q: p.get('q') || '',
    sel: p.get('sel'),
    cmp: p.get('cmp'),
    tab: p.get('tab'),
    trail: p.get('trail'),
    cols: columnsOf(p.get('cols')),
  };
}

export function format(s) {
  const p = new URLSearchParams();
  if (s.view !== 'events') p.set('view', s.view);
  if (s.trail) p.set('trail', s.trail);
  if (s.range) {
    if (s.range !== DEFAULT_RANGE) p.set('range', s.range);
  } else {
    p.set('from', s.from);
    p.set('to', s.to);
  }
  if (s.rw) p.set('rw', s.rw);
  if (s.errors) p.set('errors', '1');
  for (const [field, values] of Object.entries(s.filters)) for (const v of values) p.append(field, v);
  if (s.q) p.set('q', s.q);
  if (s.cols) p.set('cols', s.cols.join() || 'none');
  for (const k of ['sel', 'cmp', 'tab']) if (s[k]) p.set(k, s[k]);
  const text = p.toString();
  return text ? '?' + text : '';
}

export function interval(s, now = Date.now() / 1000) {
  return s.range ? { from: Math.floor(now - SECONDS[s.range]), to: Math.ceil(now) } : { from: s.from, to: s.to };
}

/** The state as parameters of the read API. */
export function query(s, { from, to }) {
  const p = new URLSearchParams({ from, to });
  for (const [field, values] of Object.entries(s.filters))
    for (const v of values) p.append(FIELDS[field].param, field === 'service' ? sourceOf(v) : v);
  if (s.rw) p.set('read_only', s.rw === 'read');
  if (s.errors) p.set('error', 'true');
  if (s.q) p.set('q', s.q);
  return p;
}
function sourceOf(v) {
  const bare = v.replace(/^!/, '');
  return (v[0] === '!' ? '!' : '') + (bare.includes('.') || bare.endsWith('*') ? bare : bare + '.amazonaws.com');
}

/** A value taken from an event, as filters write it: its own first "!" and last "*" mean nothing. */
export const literal = (field, value) => value.replace(/^!/, '\\!').replace(/\*$/, field === 'resource' ? '*' : '\\*');

export function withFilter(s, field, value, exclude = false) {
  const bare = literal(field, String(value)),
    v = (exclude ? '!' : '') + bare;
  const rest = (s.filters[field] || []).filter((x) => x.replace(/^!/, '') !== bare);
  const had = (s.filters[field] || []).includes(v);
  const values = had ? rest : [...rest, v];
  const filters = { ...s.filters, [field]: values };
  if (!values.length) delete filters[field];
  return { ...s, filters };
}

export const isFiltered = (s) => Object.keys(s.filters).length > 0 || s.rw || s.errors || s.q;
export const cleared = (s) => ({ ...s, filters: {}, rw: null, errors: false, q: '', sel: null, cmp: null });

export const QUESTIONS = [
  [
    'Who deleted something?',
    'deletions, last 2 hours',
    { range: '2h', filters: { event: ['Delete*', 'Terminate*', 'Remove*', 'Detach*', 'Revoke*', 'Disable*'] } },
  ],
  ['What changed just now?', 'writes, last 15 minutes', { range: '15m', rw: 'write' }],
  [
    'What was refused?',
    'access denied, last 24 hours',
    {
      range: '24h',
      filters: {
        error: ['AccessDenied', 'AccessDeniedException', 'Client.UnauthorizedOperation', 'UnauthorizedOperation'],
      },
    },
  ],
  ['What failed?', 'all errors, last hour', { range: '1h', errors: true }],
  ['Who touched IAM?', 'IAM writes, last 24 hours', { range: '24h', rw: 'write', filters: { service: ['iam'] } }],
  [
    'Who read secrets?',
    'secret and parameter reads, 24 hours',
    { range: '24h', filters: { event: ['GetSecretValue', 'BatchGetSecretValue', 'GetParameter*', 'Decrypt'] } },
  ],
  [
    'Who took which role?',
    'AssumeRole calls, 24 hours',
    { range: '24h', filters: { event: ['AssumeRole*', 'GetSessionToken', 'GetFederationToken'] } },
  ],
  ['Did root do anything?', 'root user, last 30 days', { range: '30d', filters: { type: ['Root'] } }],
  [
    'Was recording tampered with?',
    'trail changes, last 7 days',
    { range: '7d', filters: { event: ['StopLogging', 'DeleteTrail', 'UpdateTrail', 'PutEventSelectors'] } },
  ],
];
