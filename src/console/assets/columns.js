//! The columns of the event list: which there are, which of them have room, and how wide each is.
import { h, plain } from './dom.js';
import { serviceOf, shortName } from './model.js';

/** What can be shown beside what always is; `also`: what the read API is asked for, where rows do not have it. */
export const OPTIONAL = {
  account: { label: 'Account' },
  region: { label: 'Region' },
  ip: { label: 'Source IP' },
  key: { label: 'Access key' },
  agent: { label: 'User agent', also: 'user_agent' },
  request: { label: 'Request ID', also: 'request_id' },
};

/** Below this width a row takes two lines, and has no columns. */
export const TWO_LINES = 560;
const GAP = 12,
  EDGES = 24,
  DATE = 34;

/**
 * In the order in which they stand. `least`: the width in px below which a column is of no use; `room`: what stands in it
 * beside the text; `texts`: what it shows of an event, each with its font.
 */
const COLUMNS = [
  { key: 'time', label: 'Time', least: 66 },
  {
    key: 'event',
    label: 'Event',
    least: 150,
    room: 24,
    texts: (e) => [
      ['bold', plain(e.name, 120)],
      ['text', serviceOf(plain(e.source, 60))],
    ],
  },
  { key: 'account', label: 'Account', least: 88, texts: (e) => [['mono', e.account]] },
  { key: 'region', label: 'Region', least: 70, texts: (e) => [['text', e.region]] },
  { key: 'actor', label: 'Actor', least: 90, room: 23, texts: (e) => [['text', actorOf(e) || 'unknown']] },
  {
    key: 'target',
    label: 'Target',
    least: 110,
    room: 7,
    texts: (e) => (e.targets[0] ? [['text', targetOf(e) + (e.target_count > 1 ? `+${e.target_count - 1}` : '')]] : []),
  },
  { key: 'ip', label: 'Source IP', least: 84, texts: (e) => [['mono', plain(e.source_ip, 60)]] },
  { key: 'key', label: 'Access key', least: 90, texts: (e) => [['mono', plain(e.access_key, 60)]] },
  { key: 'agent', label: 'User agent', least: 90, texts: (e) => [['text', plain(e.user_agent, 200)]] },
  { key: 'request', label: 'Request ID', least: 90, texts: (e) => [['mono', plain(e.request_id, 60)]] },
  { key: 'result', label: 'Result', least: 60, texts: (e) => [['text', resultOf(e)]] },
];
/** What goes first when there is not enough room. */
const LEAST_WANTED = ['agent', 'request', 'key', 'ip', 'date', 'region', 'account', 'target'];
/** What takes the room that is left. */
const GROWING = ['event', 'actor', 'target'];

export const actorOf = (e) => plain(e.role && e.role !== e.actor ? `${e.role}/${e.actor}` : e.actor, 120);
export const targetOf = (e) => shortName(plain(e.targets[0].name, 160));
export const resultOf = (e) => (e.error ? plain(e.error.replace(/^Client\./, ''), 60) : 'ok');

/**
 * Those that are chosen, or else those that the events on hand need: whose they are, where there are several. `spare`: the
 * ones without which it would do.
 */
export function wanted(chosen, events) {
  if (chosen) return { optional: chosen, spare: [] };
  const several = (member) => events.some((e) => e[member] !== events[0][member]);
  const optional = [several('account') && 'account', several('region') && 'region', 'ip'].filter(Boolean);
  return { optional, spare: ['ip'] };
}

/** How wide the texts of events are, so far. */
export function measure() {
  const pen = h('canvas').getContext('2d');
  const style = getComputedStyle(document.documentElement);
  const family = (name) => style.getPropertyValue(name);
  const fonts = {
    text: `13px ${family('--ui')}`,
    bold: `600 13px ${family('--ui')}`,
    mono: `12px ${family('--mono')}`,
  };
  const known = new Map();
  const width = ([font, text]) => {
    const key = font + text;
    if (!known.has(key)) {
      pen.font = fonts[font];
      known.set(key, pen.measureText(text || '').width);
    }
    return known.get(key);
  };
  let needs = {};
  const need = (column, texts) => {
    const all = texts.reduce((sum, text) => sum + width(text), (column.room || 0) + 2);
    // In steps, so that a row that is a little wider does not move all others.
    needs[column.key] = Math.max(needs[column.key] || 0, Math.ceil(all / 8) * 8);
  };
  return {
    needs: () => needs,
    add(events) {
      for (const column of COLUMNS.filter((c) => c.texts)) for (const e of events) need(column, column.texts(e));
    },
    clear() {
      known.clear();
      needs = {};
      for (const column of COLUMNS) need(column, [['text', column.label]]);
    },
  };
}

/** Below this width in px the day stands in the lines between days only. */
const WITH_DATE = 800;

/**
 * The columns for which a width of `available` px has room, with the width of each. None is cut while another has room: each
 * has what it needs, and where that is too much, the widest give way. Those of `spare` go before anything is cut.
 */
export function fit(available, { optional, spare }, needs) {
  const shown = new Set(['time', 'date', 'event', 'actor', 'target', 'result', ...optional]);
  const columns = () => COLUMNS.filter((column) => shown.has(column.key));
  const least = (column) =>
    column.key === 'time' ? column.least + (shown.has('date') ? DATE : 0) : Math.min(column.least, needs[column.key]);
  const room = () => available - EDGES - GAP * (columns().length - 1);
  const cuts = () => columns().reduce((sum, column) => sum + (needs[column.key] || least(column)), 0) > room();
  if (available < WITH_DATE && cuts()) shown.delete('date');
  for (const key of spare) if (cuts()) shown.delete(key);
  for (const key of LEAST_WANTED) {
    if (columns().reduce((sum, column) => sum + least(column), 0) <= room()) break;
    shown.delete(key);
  }
  const list = columns().map((column) => ({
    ...column,
    least: least(column),
    need: column.key === 'time' ? least(column) : needs[column.key],
  }));
  // The widest that a column may be: found from the narrowest on, as what one does not need is there for the others.
  let left = room();
  const byNeed = [...list].sort((a, b) => a.need - b.need);
  byNeed.forEach((column, i) => {
    const held = byNeed.slice(i + 1).reduce((sum, other) => sum + other.least, 0);
    const share = left / (byNeed.length - i);
    column.width = Math.max(column.least, Math.min(column.need, share, left - held));
    left -= column.width;
  });
  const growing = list.filter((column) => GROWING.includes(column.key));
  const total = growing.reduce((sum, column) => sum + column.width, 0);
  if (left > 0) for (const column of growing) column.width += (left * column.width) / total;
  return { columns: list, hasDate: shown.has('date') };
}
