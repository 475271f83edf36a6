//! The event history: filters above, facets left, the list, one event right.
import * as api from './api.js';
import { OPTIONAL, wanted } from './columns.js';
import { detail } from './detail.js';
import { button, copy, h, icon, say, toast } from './dom.js';
import { facets } from './facets.js';
import { failingLine } from './failing.js';
import { histogram, span } from './histogram.js';
import { liveTail } from './live.js';
import { menu } from './menu.js';
import { amount, asCurl, asLookup, byCursor, number, stamp } from './model.js';
import { querybar } from './querybar.js';
import { cleared, format, interval, isFiltered, query, withFilter } from './state.js';
import { table } from './table.js';
import { askTime } from './dialogs.js';
import { welcome } from './welcome.js';

/** The least time between two reloads that the live tail asks for. */
const CALM = 3000;

export function eventsPage({ go }) {
  let searched = null,
    counted = null,
    reloads = null,
    reloaded = 0,
    loaded = null,
    lookedAfter = 0,
    said = null,
    state = null,
    when = null,
    next = null,
    busy = false,
    task = null,
    tick = null,
    total = null,
    other = null,
    shown = null;
  const side = facets({ onFilter: (f, v, not) => change(withFilter(state, f, v, not)) });
  const hist = histogram({ onSpan: (from, to) => change({ ...state, range: null, from, to, sel: null }) });
  const grid = table({
    onOpen: (e) => change({ ...state, sel: e.id }, true),
    onNear: more,
    onMark: (e) => {
      change({ ...state, sel: e.id }, true);
    },
    chosen: chosenColumns,
  });
  const pane = detail({
    onClose: closeDetail,
    onFilter: (f, v, not) => change(withFilter(state, f, v, not)),
    onTab: (tab) => change({ ...state, tab: tab === 'summary' ? null : tab }, true),
    onAround: around,
    onPin: (e) => {
      toast('Kept as A. Choose another event to compare.');
      change({ ...state, cmp: e.id, tab: 'diff' }, true);
    },
    onUnpin: () => change({ ...state, cmp: null, tab: null }, true),
  });
  const tail = liveTail({
    onToggle: () => setLive(!tail.isOn()),
    onRows: arrived,
    onGap: reload,
    // What came between the list and the stream is in neither.
    onFirst: () => load(true),
  });
  const columnMenu = menu('Columns', columnItems, { glyph: 'panel', cls: 'plainly columns' });
  const bar = querybar({
    onState: (s) =>
      s === 'ask-time'
        ? askTime(when, (from, to) => change({ ...state, range: null, from, to, sel: null }))
        : change(s),
    onCopyView: copyView,
    onFacets: () => node.classList.toggle('show-facets'),
    live: tail.node,
    columns: columnMenu,
  });
  const failures = h('div', { hidden: true });
  const message = h('div', { class: 'message', hidden: true });
  const node = h(
    'div',
    { class: 'events' },
    h('h1', { class: 'sr' }, 'Event history'),
    failures,
    bar.node,
    hist.node,
    h(
      'div',
      { class: 'split' },
      h('nav', { class: 'side', 'aria-label': 'Facets' }, side.node),
      h('div', { class: 'center' }, message, grid.node),
      pane.node,
    ),
  );

  function around(e) {
    change({ ...cleared(state), range: null, from: e.time - 300, to: e.time + 300, sel: e.id });
  }
  function change(s, soft) {
    go(s, soft);
  }

  /** The columns that the address names, or those that were chosen last in this browser. */
  function chosenColumns() {
    const kept = localStorage.getItem('columns');
    return state?.cols || (kept === null ? null : Object.keys(OPTIONAL).filter((key) => kept.split(',').includes(key)));
  }
  function columnItems() {
    const shown = wanted(chosenColumns(), grid.rows()).optional;
    const choose = (cols) => {
      if (cols) localStorage.setItem('columns', cols.join());
      else localStorage.removeItem('columns');
      change({ ...state, cols }, true);
    };
    return [
      ...Object.entries(OPTIONAL).map(([key, { label }]) => ({
        text: label,
        checked: shown.includes(key),
        run: () => choose(Object.keys(OPTIONAL).filter((other) => (other === key) !== shown.includes(other))),
      })),
      ['As the events need', () => choose(null)],
    ];
  }
  /** What rows have only when it is asked for. */
  const also = () =>
    wanted(chosenColumns(), [])
      .optional.map((key) => OPTIONAL[key].also)
      .filter(Boolean)
      .join() || null;
  const rowsQuery = () => {
    const params = query(state, when);
    if (also()) params.set('also', also());
    return params;
  };

  /** Called with every new state; asks the server only for what changed. */
  function show(s) {
    const was = state;
    state = s;
    bar.draw(s);
    const bare = { sel: null, cmp: null, tab: null, cols: null };
    const same = was && format({ ...was, ...bare }) === format({ ...s, ...bare }) && loaded === also();
    if (!same) load();
    else grid.draw();
    if (s.sel !== was?.sel || s.cmp !== was?.cmp || s.tab !== was?.tab || !was) open();
  }
  async function load(keepTail = false) {
    task?.abort();
    task = new AbortController();
    const { signal } = task;
    when = interval(state);
    const params = query(state, when);
    loaded = also();
    busy = true;
    node.classList.add('loading');
    if (tail.isOn() && keepTail !== true) setLive(true);
    lookAfterTrails();
    try {
      const [page, bins] = await Promise.all([
        api.events(rowsQuery(), null, signal),
        api.histogram(params, Math.max(24, Math.min(160, Math.floor(hist.node.clientWidth / 9))), signal),
      ]);
      next = page.next;
      searched = page.searched;
      total = bins.total;
      counted = bins.sampled;
      grid.set(page.events);
      hist.draw(bins);
      message.hidden = page.events.length > 0;
      if (!page.events.length) empty();
      summarise();
      say(amount(total, 'event'));
    } catch (error) {
      if (error.name !== 'AbortError') failed(error);
    } finally {
      if (!signal.aborted) {
        busy = false;
        node.classList.remove('loading');
        foot();
      }
    }
    try {
      const f = await api.facets(params, signal);
      side.draw(f, state);
      node.classList.toggle('bare', !side.node.children.length);
      bar.draw(state, f.facets);
    } catch {
      /* the list is what counts; the facets stay as they were */
    }
  }
  async function more(isWanted) {
    // A search that ended early goes on when somebody says so.
    if (busy || !next || (searched && isWanted !== true)) return;
    const asking = task;
    busy = true;
    foot();
    try {
      const page = await api.events(rowsQuery(), next, asking.signal);
      if (asking !== task) return;
      next = page.next;
      searched = page.searched;
      grid.set([...grid.rows(), ...page.events], { keep: true });
      message.hidden = grid.rows().length > 0;
      if (!grid.rows().length) empty();
    } catch (error) {
      // Another question has been asked meanwhile, and answers by itself.
      if (asking !== task) return;
      toast(`Older events could not be read: ${error.message}`);
      next = null;
    }
    busy = false;
    foot();
    summarise();
  }
  function foot() {
    const n = grid.rows().length;
    grid.foot.replaceChildren(
      ...(!n
        ? []
        : busy
          ? ['Reading older events…']
          : searched
            ? [
                `The newest ${amount(searched, 'record')} were searched. `,
                button('Search on', { class: 'small', onclick: () => more(true) }),
              ]
            : next
              ? []
              : [`That is all: ${amount(n, 'event')} since ${stamp(when.from)}.`]),
    );
  }
  function summarise() {
    bar.summary.replaceChildren(
      h('b', null, number(total ?? 0)),
      `${total === 1 ? ' event' : ' events'} · ${span(when.to - when.from)}`,
      counted ? h('small', null, ` among the newest ${number(counted)}`) : '',
    );
  }

  function problem(glyph, title, text, ...actions) {
    message.hidden = false;
    message.replaceChildren(
      icon(glyph),
      h('h2', null, title),
      text instanceof Node ? text : h('p', null, text),
      h('div', { class: 'actions' }, actions),
    );
  }
  function failed(error) {
    grid.set([]);
    total = 0;
    problem(
      'alert',
      'The events could not be read',
      `${error.message}${error.id ? ` (request ${error.id})` : ''}. Nothing is lost; the filters stay as they are.`,
      button('Try again', { class: 'primary', onclick: load }),
    );
    say('The events could not be read');
  }
  async function empty() {
    const asking = task;
    // Asked anew: what was empty may have filled since.
    const info = await api.scopes().catch(() => null);
    if (asking !== task || grid.rows().length) return;
    const wider =
      { '15m': '1h', '1h': '6h', '2h': '24h', '6h': '24h', '24h': '7d', '7d': '30d', '30d': '90d' }[state.range] ||
      '7d';
    if (searched)
      return problem(
        'search',
        'Not found yet',
        `“${state.q}” is not in the newest ${number(searched)} records that were searched.`,
        button('Search on', { class: 'primary', onclick: () => more(true) }),
      );
    if (info && !info.total)
      return problem('clock', 'No events yet', welcome(info, new URL('..', location.href).origin));
    problem(
      'search',
      'Nothing matches',
      isFiltered(state) ? 'No event in this time passes all the filters.' : 'Nothing happened in this time.',
      state.range !== '90d' &&
        button(`Look at the last ${wider}`, {
          class: 'primary',
          onclick: () => change({ ...state, range: wider, from: null, to: null }),
        }),
      isFiltered(state) && button('Clear filters', { class: 'plainly', onclick: () => change(cleared(state)) }),
      info?.oldest && h('small', null, `The oldest event kept is of ${stamp(info.oldest)}.`),
    );
  }

  async function open() {
    grid.open(state.sel);
    grid.pin(state.cmp);
    node.classList.toggle('with-detail', !!state.sel);
    if (!state.sel) {
      shown = null;
      return pane.close();
    }
    const id = state.sel,
      cmp = state.cmp,
      read = async (id) => [shown, other].find((known) => known?.event.id === id) || api.event(id),
      // Answers come in any order, and another event may have been opened meanwhile.
      isCurrent = () => state.sel === id && state.cmp === cmp;
    if (!shown) pane.loading();
    try {
      const [event, compared] = await Promise.all([read(id), cmp && cmp !== id ? read(cmp) : null]);
      if (!isCurrent()) return;
      shown = event;
      other = compared;
      pane.show(shown, { tab: state.tab || 'summary', other });
    } catch (error) {
      if (!isCurrent()) return;
      shown = null;
      pane.failed(error.status === 404 ? new Error('It is not in the history (any more).') : error);
    }
  }
  function closeDetail() {
    change({ ...state, sel: null, tab: null, cmp: null }, true);
    grid.focus();
  }

  function setLive(on) {
    stopTail();
    if (!on) return tail.end();
    tail.wait();
    if (!state.range) return change({ ...state, range: '15m', from: null, to: null });
    // A hidden page does not ask; what it missed is read when it is shown again.
    if (!document.hidden) tail.start(rowsQuery());
  }
  function stopTail() {
    tail.pause();
    clearTimeout(tick);
    clearTimeout(reloads);
    tick = null;
    reloads = null;
  }
  function arrived(rows) {
    const known = new Set(
      grid
        .rows()
        .slice(0, 500)
        .map((r) => r.cursor),
    );
    const fresh = rows.filter((r) => !known.has(r.cursor)).sort(byCursor);
    if (!fresh.length) return;
    const top = grid.rows()[0];
    // Something older than what is on top has come in: where it belongs, only the server knows.
    if (top && byCursor(fresh.at(-1), top) > 0) return reload();
    grid.prepend(fresh);
    total += fresh.length;
    message.hidden = true;
    summarise();
    tick ??= setTimeout(async () => {
      tick = null;
      when = interval(state);
      lookAfterTrails();
      try {
        hist.draw(await api.histogram(query(state, when), 120));
      } catch {
        /* next tick */
      }
    }, 3000);
  }
  /** Says which trails do not deliver, asked at most every few seconds. */
  async function lookAfterTrails() {
    if (Date.now() < lookedAfter + CALM) return;
    lookedAfter = Date.now();
    try {
      const { failing } = await api.failing();
      // What is said already is not said again.
      if (JSON.stringify(failing) === said) return;
      said = JSON.stringify(failing);
      failures.replaceChildren(...(failing.length ? [failingLine(failing, go)] : []));
      failures.hidden = !failing.length;
    } catch {
      /* the list says what is wrong */
    }
  }
  function reload() {
    reloads ??= setTimeout(
      () => {
        reloads = null;
        reloaded = Date.now();
        load(true);
      },
      Math.max(0, reloaded + CALM - Date.now()),
    );
  }
  const onShow = () => {
    if (!tail.isOn()) return;
    if (document.hidden) stopTail();
    else load();
  };
  document.addEventListener('visibilitychange', onShow);
  function copyView(how) {
    const params = query(state, when),
      cols = chosenColumns(),
      fixed = { ...state, range: null, from: when.from, to: when.to, cols };
    if (how === 'link') copy(new URL(format(fixed) || '?', location.href).href, 'link to exactly these events');
    else if (how === 'moving')
      copy(new URL(format({ ...state, cols }) || '?', location.href).href, 'link to this view');
    else if (how === 'cli') copy(asLookup(state, when), 'lookup-events command');
    else if (how === 'curl') copy(asCurl(params), 'curl command');
    else {
      const a = h('a', { href: api.address(params, { format: how }), download: `events.${how}` });
      a.click();
    }
  }
  const keys = {
    j: () => {
      const e = grid.move(1);
      if (e && state.sel) change({ ...state, sel: e.id }, true);
      grid.focus();
    },
    k: () => {
      const e = grid.move(-1);
      if (e && state.sel) change({ ...state, sel: e.id }, true);
      grid.focus();
    },
    o: () => {
      const e = grid.current() || grid.move(1);
      if (e) change({ ...state, sel: e.id }, true);
    },
    '/': () => bar.focus(),
    w: () => change({ ...state, rw: state.rw === 'write' ? null : 'write', sel: null }),
    e: () => change({ ...state, errors: !state.errors, sel: null }),
    l: () => setLive(!tail.isOn()),
    f: () => node.classList.toggle('show-facets'),
    r: () => load(),
    x: () => change(cleared(state)),
    y: () => shown && copy(JSON.stringify(shown.record, null, 2), 'record'),
    c: () => state.sel && change({ ...state, cmp: state.sel, tab: 'diff' }, true),
    a: () => shown && around(shown.event),
    '[': () => shift(-1),
    ']': () => shift(1),
    '-': () => zoom(2),
    '+': () => zoom(0.5),
    Escape: () => (state.sel ? closeDetail() : state.cmp ? change({ ...state, cmp: null }, true) : null),
    1: () => tab('summary'),
    2: () => tab('json'),
    3: () => tab('diff'),
  };
  const tab = (t) => state.sel && change({ ...state, tab: t === 'summary' ? null : t }, true);
  function shift(by) {
    const w = when.to - when.from;
    change({ ...state, range: null, from: when.from + by * w, to: when.to + by * w, sel: null });
  }
  function zoom(f) {
    const mid = (when.from + when.to) / 2,
      half = Math.max(5, ((when.to - when.from) / 2) * f);
    change({ ...state, range: null, from: Math.floor(mid - half), to: Math.ceil(mid + half), sel: null });
  }
  return {
    node,
    show,
    keys,
    focus: () => grid.focus(),
    leave: () => {
      setLive(false);
      document.removeEventListener('visibilitychange', onShow);
    },
    redraw: () => {
      grid.draw();
      if (shown) open();
      summarise();
    },
  };
}
