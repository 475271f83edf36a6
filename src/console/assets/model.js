//! Words and forms for events: pure functions, no DOM.

export const serviceOf = (source) => source.replace(/\.amazonaws\.com$/, '');
export const KINDS = { read: ['R', 'read'], write: ['W', 'write'], delete: ['D', 'delete'] };
/** Refusals stand out among failures: a missing thing is daily bread, a refused call is a question. */
export const isDenied = (error) => /denied|unauthori[sz]ed|forbidden|authfailure|notauthorized/i.test(error || '');

const pad = (n) => String(n).padStart(2, '0');
let utc = localStorage.getItem('tz') === 'utc';
export const isUtc = () => utc;
export function setUtc(on) {
  utc = on;
  localStorage.setItem('tz', on ? 'utc' : 'local');
}
const part = (d) =>
  utc
    ? [d.getUTCFullYear(), d.getUTCMonth() + 1, d.getUTCDate(), d.getUTCHours(), d.getUTCMinutes(), d.getUTCSeconds()]
    : [d.getFullYear(), d.getMonth() + 1, d.getDate(), d.getHours(), d.getMinutes(), d.getSeconds()];
export function clock(s) {
  const p = part(new Date(s * 1000));
  return `${pad(p[3])}:${pad(p[4])}:${pad(p[5])}`;
}
export function day(s) {
  const p = part(new Date(s * 1000));
  return `${p[0]}-${pad(p[1])}-${pad(p[2])}`;
}
export const stamp = (s) => `${day(s)} ${clock(s)}`;
export const minute = (s) => clock(s).slice(0, 5);
export function ago(s, now = Date.now() / 1000) {
  const d = Math.round(now - s),
    a = Math.abs(d);
  const text =
    a < 60
      ? `${a} s`
      : a < 3600
        ? `${Math.round(a / 60)} min`
        : a < 172800
          ? `${Math.round(a / 3600)} h`
          : `${Math.round(a / 86400)} d`;
  return d >= 0 ? `${text} ago` : `in ${text}`;
}
export const number = (n) => (n ?? 0).toLocaleString('en-US').replaceAll(',', '\u202f');
/** `1 event`, `2 events`. */
export const amount = (n, one, many = `${one}s`) => `${number(n)} ${n === 1 ? one : many}`;
export function bytes(n) {
  return n < 1000 ? `${n} B` : n < 1e6 ? `${(n / 1000).toFixed(1)} kB` : `${(n / 1e6).toFixed(1)} MB`;
}

/** Newest first: time and arrival, as cursors have it. They are whole numbers too long for a Number. */
export const byCursor = (a, b) =>
  b.cursor.length - a.cursor.length || (a.cursor < b.cursor ? 1 : a.cursor > b.cursor ? -1 : 0);

/** arn:aws:iam::1:role/x → role/x; long paths keep their end. */
export function shortName(name) {
  const arn = /^arn:[^:]*:[^:]*:[^:]*:[^:]*:(.+)$/s.exec(name);
  return arn ? arn[1] : name;
}

/** A word of a command line. */
export const q = (s) => (/^[\w@%+=:,./*-]+$/.test(s) ? s : `'${String(s).replaceAll("'", `'\\''`)}'`);
/** Where the server is: every command to copy names it, so that none reaches the real AWS. */
export const endpoint = () => new URL('..', location.href).origin;

/** The AWS CLI knows one attribute and a time range: take the most selective, say what is left out. */
export function asLookup(s, { from, to }) {
  const attribute =
    [
      ['key', 'AccessKeyId'],
      ['resource', 'ResourceName'],
      ['event', 'EventName'],
      ['actor', 'Username'],
      ['service', 'EventSource'],
    ]
      .map(([field, key]) => {
        const v = s.filters[field];
        return v?.length === 1 && v[0][0] !== '!' && !v[0].endsWith('*')
          ? [field, key, field === 'service' && !v[0].includes('.') ? v[0] + '.amazonaws.com' : v[0]]
          : null;
      })
      .find(Boolean) || (s.rw ? ['rw', 'ReadOnly', s.rw === 'read' ? 'true' : 'false'] : null);
  const lines = [`aws cloudtrail lookup-events --endpoint-url ${endpoint()}`];
  const region = s.filters.region?.length === 1 ? s.filters.region[0] : null;
  if (region) lines.push(`--region ${q(region)}`);
  if (attribute) lines.push(`--lookup-attributes AttributeKey=${attribute[1]},AttributeValue=${q(attribute[2])}`);
  lines.push(
    `--start-time ${new Date(from * 1000).toISOString().slice(0, 19)}Z --end-time ${new Date(to * 1000).toISOString().slice(0, 19)}Z`,
  );
  const used = new Set([attribute?.[0], region && 'region']);
  const left = [...Object.keys(s.filters), s.rw && 'rw', s.errors && 'errors', s.q && 'q'].filter(
    (f) => f && !used.has(f),
  );
  return (
    (left.length
      ? `# LookupEvents takes one attribute; not expressed here: ${left.join(', ')} (curl has them all)\n`
      : '') + lines.join(' \\\n  ')
  );
}
export const asCurl = (params) => `curl -s ${q(new URL('events?' + params, location.href).href)}`;
export const asLookupOne = (e) =>
  `aws cloudtrail lookup-events --endpoint-url ${endpoint()} --region ${q(e.region)} \\\n  --lookup-attributes AttributeKey=EventId,AttributeValue=${q(e.id)}`;

/** The call that made this event, as near as its record tells. */
export function asCall(record) {
  const kebab = record.eventName
    .replace(/(20\d{6}(v\d)?|_?\d{4}_\d{2}_\d{2})$/, '')
    .replace(/([a-z\d])([A-Z])/g, '$1-$2')
    .replace(/([A-Z]+)([A-Z][a-z])/g, '$1-$2')
    .toLowerCase();
  const service = serviceOf(record.eventSource || '');
  const name = { s3: 's3api', monitoring: 'cloudwatch' }[service] || service;
  const up = (v) =>
    Array.isArray(v)
      ? v.map(up)
      : v && typeof v === 'object'
        ? Object.fromEntries(Object.entries(v).map(([k, x]) => [k[0] ? k[0].toUpperCase() + k.slice(1) : k, up(x)]))
        : v;
  const input = record.requestParameters
    ? ` \\\n  --cli-input-json ${q(JSON.stringify(up(record.requestParameters)))}`
    : '';
  // ${…:?} makes the shell refuse when no endpoint is set: a copied deletion must never reach the real AWS.
  return `# rebuilt from the record: parameter names are approximate\naws ${name} ${kebab} --endpoint-url "\${AWS_ENDPOINT_URL:?}" --region ${q(record.awsRegion || 'us-east-1')}${input}`;
}

/** Every leaf of a value as path → text, for comparing. */
export function leaves(value, path = '', out = new Map()) {
  if (out.size > 4000) return out;
  if (value && typeof value === 'object') {
    const keys = Object.keys(value);
    if (!keys.length) out.set(path, Array.isArray(value) ? '[]' : '{}');
    for (const k of keys) leaves(value[k], Array.isArray(value) ? `${path}[${k}]` : path ? `${path}.${k}` : k, out);
  } else out.set(path, value === undefined ? '' : JSON.stringify(value));
  return out;
}
export function differences(a, b) {
  const left = leaves(a),
    right = leaves(b);
  return [...new Set([...left.keys(), ...right.keys()])].map((path) => ({
    path,
    a: left.get(path),
    b: right.get(path),
    same: left.get(path) === right.get(path),
  }));
}
