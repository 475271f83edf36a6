//! One event, told in the order in which people ask: what, failed how, who, on what, with which input and answer.
import { button, copy, h, icon, plain } from './dom.js';
import { menu } from './menu.js';
import { KINDS, ago, amount, asCall, asLookupOne, differences, isDenied, number, serviceOf, stamp } from './model.js';
import { tree } from './tree.js';

/** Targets that are shown at first: a call may have thousands. */
const PIECE = 20;

export function detail({ onClose, onFilter, onAround, onTab, onPin, onUnpin }) {
  const node = h('aside', { class: 'detail', 'aria-label': 'Event', hidden: true });
  let record = null;

  function loading() {
    node.hidden = false;
    if (!record)
      node.replaceChildren(
        h(
          'div',
          { class: 'pad skeleton', 'aria-busy': 'true' },
          Array.from({ length: 9 }, () => h('i')),
        ),
      );
  }
  function failed(error) {
    node.hidden = false;
    node.replaceChildren(
      h(
        'div',
        { class: 'pad' },
        h(
          'div',
          { class: 'problem', role: 'alert' },
          icon('alert'),
          h('div', null, h('b', null, 'This event could not be shown.'), h('p', null, error.message)),
        ),
        button('Close', { onclick: onClose }),
      ),
    );
  }
  function close() {
    node.hidden = true;
    record = null;
    node.replaceChildren();
  }

  function show({ event, record: r }, { tab = 'summary', other } = {}) {
    record = r;
    node.hidden = false;
    const [, word] = KINDS[event.kind];
    const tabs = [['summary', 'Summary'], ['json', 'JSON'], ...(other ? [['diff', 'Compare']] : [])];
    if (!tabs.some(([k]) => k === tab)) tab = 'summary';
    const pretty = () => JSON.stringify(r, null, 2);
    node.replaceChildren(
      h(
        'header',
        null,
        h(
          'div',
          { class: 'title' },
          h('span', { class: `pill k-${event.kind}` }, word),
          event.error && h('span', { class: 'pill k-error' }, isDenied(event.error) ? 'refused' : 'failed'),
          h('h2', null, plain(event.name, 120)),
          button('Close', { glyph: 'close', hide: true, class: 'ghost', onclick: onClose }),
        ),
        h(
          'p',
          { class: 'sub' },
          `${serviceOf(plain(event.source, 80)) || 'no source'} · ${plain(event.region)} · ${stamp(event.time)} · ${ago(event.time)}`,
        ),
        h(
          'div',
          { class: 'actions' },
          menu('Copy', [
            ['Record as JSON', () => copy(pretty(), 'record')],
            ['This call as AWS CLI (rebuilt)', () => copy(asCall(r), 'AWS CLI call')],
            ['Lookup of this event (AWS CLI)', () => copy(asLookupOne(event), 'lookup-events command')],
            ['Record on one line (to import again)', () => copy(JSON.stringify(r), 'NDJSON line')],
          ]),
          button('Link', { glyph: 'link', class: 'small', onclick: () => copy(location.href, 'link to this view') }),
          button('Around', {
            glyph: 'target',
            class: 'small',
            title: 'Everything within 5 minutes before and after',
            onclick: () => onAround(event),
          }),
          other
            ? button('Stop comparing', { glyph: 'compare', class: 'small', onclick: onUnpin })
            : button('Compare', {
                glyph: 'compare',
                class: 'small',
                title: 'Keep this one and choose another (c)',
                onclick: () => onPin(event),
              }),
        ),
        h(
          'div',
          { class: 'tabs', role: 'tablist', 'aria-label': 'Event views' },
          tabs.map(([key, label], i) =>
            h(
              'button',
              {
                type: 'button',
                role: 'tab',
                id: `tab-${key}`,
                'aria-selected': String(key === tab),
                'aria-controls': 'detail-body',
                tabindex: key === tab ? 0 : -1,
                onclick: () => onTab(key),
                onkeydown: (e) => {
                  const by = { ArrowRight: 1, ArrowLeft: -1 }[e.key];
                  if (by) {
                    const next = tabs[(i + by + tabs.length) % tabs.length][0];
                    onTab(next);
                    requestAnimationFrame(() => node.querySelector(`#tab-${next}`)?.focus());
                    e.preventDefault();
                  }
                },
              },
              label,
            ),
          ),
        ),
      ),
      h(
        'div',
        { class: 'body', id: 'detail-body', role: 'tabpanel', 'aria-labelledby': `tab-${tab}`, tabindex: '0' },
        tab === 'json'
          ? tree(r, { fold: 3 })
          : tab === 'diff'
            ? compare(other, { event, record: r })
            : summary(event, r),
      ),
    );
  }

  function summary(e, r) {
    const u = r.userIdentity || {},
      session = u.sessionContext?.attributes || {};
    const facts = (title, rows, extra) => {
      const list = rows.filter((x) => x && x[1] != null && x[1] !== '');
      return list.length || extra
        ? h(
            'section',
            null,
            h('h3', null, title),
            list.length > 0 &&
              h(
                'dl',
                null,
                list.map(([label, value, field, raw]) => fact(label, value, field, raw)),
              ),
            extra,
          )
        : null;
    };
    return [
      r.errorCode &&
        h(
          'div',
          { class: 'problem' },
          icon('alert'),
          h(
            'div',
            null,
            h('b', null, plain(r.errorCode, 200)),
            r.errorMessage && h('p', null, plain(r.errorMessage, 1500)),
          ),
        ),
      facts('Actor', [
        ['Name', e.actor, 'actor'],
        ['Role', e.role],
        ['Type', u.type, 'type'],
        ['ARN', u.arn],
        ['Access key', u.accessKeyId, 'key'],
        ['Issuer', u.sessionContext?.sessionIssuer?.arn],
        ['MFA', session.mfaAuthenticated === 'true' ? 'yes' : null],
        ['Session since', session.creationDate],
        ['Invoked by', u.invokedBy],
        ['Source IP', r.sourceIPAddress, 'ip'],
        ['User agent', r.userAgent],
      ]),
      targets(e.targets),
      r.requestParameters && facts('Request', [], tree(r.requestParameters, { fold: 3 })),
      r.responseElements && facts('Response', [], tree(r.responseElements, { fold: 3 })),
      facts('Record', [
        ['Event ID', r.eventID],
        ['Request ID', r.requestID],
        ['Account', e.account, 'account'],
        ['Region', e.region, 'region'],
        ['Source', r.eventSource, 'service', serviceOf(e.source)],
        ['Name', r.eventName, 'event'],
        ['Type', r.eventType === 'AwsApiCall' ? null : r.eventType],
        ['Category', r.eventCategory === 'Management' ? null : r.eventCategory],
        ['API version', r.apiVersion],
        ['Version', r.eventVersion],
      ]),
    ];
  }

  /** All of them, the one that the call was about first. A type stands above its name: it may be as long. */
  function targets(all) {
    if (!all.length) return null;
    const list = h('dl', { class: 'stacked' });
    const show = (from, to) =>
      list.append(...all.slice(from, to).flatMap((t) => fact(t.type || 'Resource', t.name, 'resource')));
    show(0, PIECE);
    const rest = all.length - PIECE;
    return h(
      'section',
      null,
      h('h3', null, 'Target', all.length > 1 && h('span', { class: 'count' }, ` ${number(all.length)}`)),
      list,
      rest > 0 &&
        h(
          'button',
          {
            type: 'button',
            class: 'textual',
            onclick: (e) => {
              e.target.remove();
              show(PIECE, all.length);
            },
          },
          `${number(rest)} more`,
        ),
    );
  }

  function fact(label, value, field, raw) {
    const v = raw ?? String(value);
    return [
      h('dt', null, plain(label, 60)),
      h(
        'dd',
        null,
        h('span', { class: 'v' }, plain(value, 600)),
        h(
          'span',
          { class: 'tools' },
          field &&
            button(`Only ${label.toLowerCase()} ${plain(v, 60)}`, {
              glyph: 'plus',
              hide: true,
              class: 'ghost',
              onclick: () => onFilter(field, v),
            }),
          field &&
            button(`Leave out ${plain(v, 60)}`, {
              glyph: 'minus',
              hide: true,
              class: 'ghost',
              onclick: () => onFilter(field, v, true),
            }),
          button(`Copy ${label.toLowerCase()}`, {
            glyph: 'copy',
            hide: true,
            class: 'ghost',
            onclick: () => copy(String(value), label.toLowerCase()),
          }),
        ),
      ),
    ];
  }
  return { node, loading, failed, show, close, record: () => record };
}

const NOISE =
  /^(eventID|requestID|eventTime|additionalEventData\.(x-amz-id-2|bytesTransferred)|tlsDetails|eventVersion|userIdentity\.sessionContext\.attributes\.creationDate)/;
function compare(a, b) {
  const rows = differences(a.record, b.record),
    apart = rows.filter((r) => !r.same);
  const telling = apart.filter((r) => !NOISE.test(r.path)),
    noise = apart.filter((r) => NOISE.test(r.path)),
    same = rows.length - apart.length;
  const bare = (v) => v?.replace(/^"|"$/g, '');
  // What the two share at both ends is dimmed, so that the eye lands on what differs.
  const value = (v, w) => {
    if (v === undefined) return h('span', { class: 'dim' }, 'absent');
    const [x, y] = [bare(v), bare(w)];
    let from = 0,
      end = 0;
    if (y !== undefined) {
      while (from < x.length && from < y.length && x[from] === y[from]) from++;
      while (end < x.length - from && end < y.length - from && x.at(-1 - end) === y.at(-1 - end)) end++;
    }
    if (from + end < 4) return plain(x, 500);
    const head = from > 60 ? '…' + x.slice(from - 30, from) : x.slice(0, from),
      tail = end > 60 ? x.slice(x.length - end, x.length - end + 30) + '…' : x.slice(x.length - end);
    return [
      h('span', { class: 'alike' }, plain(head)),
      h('b', null, plain(x.slice(from, x.length - end), 300)),
      h('span', { class: 'alike' }, plain(tail)),
    ];
  };
  const lines = (list) =>
    h(
      'tbody',
      null,
      list.map((r) =>
        h(
          'tr',
          null,
          h('th', { scope: 'row' }, plain(r.path, 160)),
          h('td', { class: r.a === undefined ? '' : 'was' }, value(r.a, r.b)),
          h('td', { class: r.b === undefined ? '' : 'now' }, value(r.b, r.a)),
        ),
      ),
    );
  const head = (e, which) =>
    h(
      'th',
      { scope: 'col' },
      h('span', { class: 'tag' }, which),
      ` ${plain(e.event.name, 60)}`,
      h('small', null, stamp(e.event.time)),
    );
  return [
    h(
      'table',
      { class: 'diff' },
      h('caption', { class: 'sr' }, 'Differences of two events'),
      h(
        'thead',
        null,
        h(
          'tr',
          null,
          h('th', { scope: 'col' }, `${number(telling.length)} ${telling.length === 1 ? 'differs' : 'differ'}`),
          head(a, 'A'),
          head(b, 'B'),
        ),
      ),
      lines(telling),
    ),
    telling.length === 0 && h('p', { class: 'note' }, 'The two calls are alike in everything that a caller chooses.'),
    noise.length > 0 &&
      h(
        'details',
        { class: 'rest' },
        h(
          'summary',
          null,
          icon('chevron'),
          `${number(noise.length)} that ${noise.length === 1 ? 'differs' : 'differ'} in any two events (ids, times)`,
        ),
        h('table', { class: 'diff' }, lines(noise)),
      ),
    h('p', { class: 'note' }, `${amount(same, 'value')} ${same === 1 ? 'is' : 'are'} the same.`),
  ];
}
