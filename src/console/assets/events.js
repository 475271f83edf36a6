//! The event history: filters above, facets left, the list, one event right.
import * as api from './api.js';
import { button, copy, h, icon, say, toast } from './dom.js';
import { detail } from './detail.js';
import { facets } from './facets.js';
import { histogram, span } from './histogram.js';
import { asCurl, asLookup, byCursor, number, stamp } from './model.js';
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
    state = null,
    when = null,
    next = null,
    busy = false,
    task = null,
    stop = null,
    live = false,
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
  const bar = querybar({
    onState: (s) =>
      s === 'ask-time'
        ? askTime(when, (from, to) => change({ ...state, range: null, from, to, sel: null }))
        : change(s),
    onLive: () => setLive(!live),
    onCopyView: copyView,
    onFacets: () => node.classList.toggle('show-facets'),
  });
  const message = h('div', { class: 'message', hidden: true });
  const node = h(
    'div',
    { class: 'events' },
    h('h1', { class: 'sr' }, 'Event history'),
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

  /** Called with every new state; asks the server only for what changed. */
  function show(s) {
    const was = state;
    state = s;
    bar.draw(s);
    const same =
      was && format({ ...was, sel: null, cmp: null, tab: null }) === format({ ...s, sel: null, cmp: null, tab: null });
    if (!same) load();
    if (s.sel !== was?.sel || s.cmp !== was?.cmp || s.tab !== was?.tab || !was) open();
  }
  async function load(keepTail = false) {
    task?.abort();
    task = new AbortController();
    const { signal } = task;
    when = interval(state);
    const params = query(state, when);
    busy = true;
    node.classList.add('loading');
    if (live && keepTail !== true) setLive(true);
    try {
      const [page, bins] = await Promise.all([
        api.events(params, null, signal),
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
      say(`${number(total)} events`);
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
  async function more(asked) {
    // A search that ended early goes on when somebody says so.
    if (busy || !next || (searched && asked !== true)) return;
    const asking = task;
    busy = true;
    foot();
    try {
      const page = await api.events(query(state, when), next, asking.signal);
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
                `The newest ${number(searched)} records were searched. `,
                button('Search on', { class: 'small', onclick: () => more(true) }),
              ]
            : next
              ? []
              : [`That is all: ${number(n)} events since ${stamp(when.from)}.`]),
    );
  }
  function summarise() {
    bar.summary.replaceChildren(
      h('b', null, number(total ?? 0)),
      ` events · ${span(when.to - when.from)}`,
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
    stop?.();
    stop = null;
    live = on;
    bar.live.setAttribute('aria-pressed', String(on));
    bar.live.dataset.state = on ? 'retrying' : 'off';
    if (!on) return;
    if (!state.range) {
      change({ ...state, range: '15m', from: null, to: null });
      return;
    }
    // A hidden page does not ask; what it missed is read when it is shown again.
    if (document.hidden) return;
    let tick = null,
      stands = false;
    const closes = api.follow(
      query(state, interval(state)),
      (rows) => {
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
          if (!live) return;
          when = interval(state);
          try {
            hist.draw(await api.histogram(query(state, when), 120));
          } catch {
            /* next tick */
          }
        }, 3000);
      },
      (s) => {
        if (s === 'gap') return reload();
        bar.live.dataset.state = s;
        // What came between the list and the stream is in neither.
        if (s === 'open' && !stands) {
          stands = true;
          load(true);
        }
      },
    );
    stop = () => {
      closes();
      clearTimeout(tick);
      clearTimeout(reloads);
      reloads = null;
    };
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
    if (!live) return;
    if (document.hidden) {
      stop?.();
      stop = null;
    } else load();
  };
  document.addEventListener('visibilitychange', onShow);
  function copyView(how) {
    const params = query(state, when),
      fixed = { ...state, range: null, from: when.from, to: when.to };
    if (how === 'link') copy(new URL(format(fixed) || '?', location.href).href, 'link to exactly these events');
    else if (how === 'moving') copy(location.href, 'link to this view');
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
    o: () => grid.current() && change({ ...state, sel: grid.current().id }, true),
    '/': () => bar.focus(),
    w: () => change({ ...state, rw: state.rw === 'write' ? null : 'write', sel: null }),
    e: () => change({ ...state, errors: !state.errors, sel: null }),
    l: () => setLive(!live),
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
