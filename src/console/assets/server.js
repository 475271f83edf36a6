//! The server itself: what it holds, what waits, how it is set. Reading only.
import * as api from './api.js';
import { button, h, icon, plain, replace } from './dom.js';
import { failingList } from './failing.js';
import { ago, amount, bytes, number, stamp } from './model.js';

/** What each era means. */
const ERAS = {
  2015: 'LookupEvents lists what CloudTrail listed in 2015: calls that change something, while a trail is logging. This page shows every call.',
  today: 'LookupEvents lists every management event, as CloudTrail does today.',
};

export function serverPage({ go }) {
  const node = h('div', { class: 'trails server-page' });
  let timer = null;
  async function show() {
    clearTimeout(timer);
    try {
      const [server, { failing }] = await Promise.all([api.server(), api.failing()]);
      draw(server, failing);
    } catch (error) {
      node.replaceChildren(
        h(
          'div',
          { class: 'message' },
          icon('alert'),
          h('h2', null, 'The server could not be asked'),
          h('p', null, error.message),
          button('Try again', { class: 'primary', onclick: show }),
        ),
      );
    }
    timer = setTimeout(() => node.isConnected && show(), 10000);
  }
  const span = (s) =>
    s < 3600
      ? `${Math.floor(s / 60)} min`
      : s < 172800
        ? `${Math.floor(s / 3600)} h ${Math.floor((s % 3600) / 60)} min`
        : `${Math.floor(s / 86400)} d ${Math.floor((s % 86400) / 3600)} h`;

  function draw(s, failing) {
    const w = s.waiting;
    const figures = [
      ['Version', s.version],
      ['Era', [s.era, ERAS[s.era] && h('small', null, ERAS[s.era])]],
      ['Up for', `${span(s.now - s.started)}, since ${stamp(s.started)}`],
      ['Database', bytes(s.database_bytes)],
      ['Events', number(s.events)],
      ['Oldest event', s.oldest == null ? '–' : `${stamp(s.oldest)} (${ago(s.oldest, s.now)})`],
      ['To be stored', w.to_be_stored ? amount(w.to_be_stored, 'event') : 'nothing waits'],
      [
        'To be delivered',
        w.to_be_delivered
          ? `${amount(w.to_be_delivered, 'event')}${w.oldest_stored == null ? '' : `, the first stored ${ago(w.oldest_stored, s.now)}`}`
          : 'nothing waits',
      ],
      ['Log files made, not yet put', number(w.log_files)],
      ['Failing destinations', failing.length ? h('span', { class: 'err' }, number(failing.length)) : 'none'],
    ];
    replace(
      node,
      h('h1', null, 'Server'),
      h(
        'dl',
        { class: 'figures' },
        figures.map(([label, value]) => h('div', null, h('dt', null, label), h('dd', null, value))),
      ),
      failing.length > 0 && [h('h2', null, 'Failing destinations'), failingList(failing, go)],
      h('h2', null, 'Events by account and region'),
      s.scopes.length
        ? grid(
            ['Account', 'Region', 'Events'],
            s.scopes.map(([account, region, events]) => [account, region, number(events)]),
          )
        : h('p', { class: 'sub' }, 'There are no events yet.'),
      h('h2', null, 'Settings in effect'),
      h('p', { class: 'sub' }, 'Of addresses only scheme and host are shown.'),
      grid(['Setting', 'Value'], flat(s.settings)),
    );
  }
  const grid = (titles, rows) =>
    h(
      'div',
      { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': titles.join(', ') },
      h(
        'table',
        { class: 'plain-table' },
        h(
          'thead',
          null,
          h(
            'tr',
            null,
            titles.map((title) => h('th', { scope: 'col', class: title === 'Events' ? 'num' : null }, title)),
          ),
        ),
        h(
          'tbody',
          null,
          rows.map((row) =>
            h(
              'tr',
              null,
              row.map((cell, i) =>
                h(
                  i ? 'td' : 'th',
                  { scope: i ? null : 'row', class: titles[i] === 'Events' ? 'num' : 'mono' },
                  plain(cell, 300),
                ),
              ),
            ),
          ),
        ),
      ),
    );
  function flat(value, path = '') {
    if (value === null || typeof value !== 'object' || Array.isArray(value))
      return [
        [
          path,
          value === null
            ? 'not set'
            : Array.isArray(value)
              ? value.map((v) => (typeof v === 'object' ? JSON.stringify(v) : v)).join(', ') || 'none'
              : String(value),
        ],
      ];
    return Object.entries(value).flatMap(([key, inner]) => flat(inner, path ? `${path}.${key}` : key));
  }
  return { node, show, keys: { r: show }, leave: () => clearTimeout(timer), redraw: show };
}
