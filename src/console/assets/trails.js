//! Trails and what became of their files. Reading only: changes are made with the API, and the commands are at hand.
import * as api from './api.js';
import { command } from './command.js';
import { button, h, icon, plain, svg } from './dom.js';
import { keyOf } from './failing.js';
import { ago, amount, bytes, endpoint, number, q, stamp } from './model.js';

const cloudtrail = (rest) => `aws cloudtrail --endpoint-url ${endpoint()} ${rest}`;

/** What does not arrive, each with the reason. */
const faultsOf = ({ last }) =>
  [
    ['Files do', last.s3],
    ['Notices do', last.sns],
    ['Events do', last.logs, ' in the log group'],
    ['Digests do', last.digest],
    ['Notices do', last.webhook, ' at the webhook'],
  ]
    .filter(([, it]) => it?.error)
    .map(([what, it, where = '']) => ({ title: `${what} not arrive${where}`, why: plain(it.error, 120) }));
const stateOf = (t) => (faultsOf(t).length ? ['bad', 'failing'] : t.logging ? ['good', 'logging'] : ['off', 'stopped']);

export function trailsPage({ go }) {
  const node = h('div', { class: 'trails' });
  let timer = null,
    state = null;
  async function show(s) {
    state = s;
    clearTimeout(timer);
    try {
      draw((await api.trails()).trails);
    } catch (error) {
      node.replaceChildren(
        h('h1', { class: 'sr' }, 'Trails'),
        h(
          'div',
          { class: 'message' },
          icon('alert'),
          h('h2', null, 'The trails could not be read'),
          h('p', null, error.message),
          button('Try again', { class: 'primary', onclick: () => show(state) }),
        ),
      );
    }
    timer = setTimeout(() => node.isConnected && show(state), 10000);
  }
  function draw(trails) {
    if (!trails.length)
      return node.replaceChildren(
        h('h1', { class: 'sr' }, 'Trails'),
        h(
          'div',
          { class: 'message' },
          icon('clock'),
          h('h2', null, 'No trails'),
          h(
            'p',
            null,
            'A trail delivers events as files to a bucket, and in the 2015 era it is what makes events appear in the history.',
          ),
          command('Make a trail', cloudtrail('create-trail --name audit --s3-bucket-name audit-logs')),
          command('Start logging', cloudtrail('start-logging --name audit')),
        ),
      );
    // Links of older versions have no account.
    const isAsked = (t) => [keyOf(t), `${t.region}/${t.name}`].includes(state.trail);
    const failing = trails.filter((t) => faultsOf(t).length);
    const chosen = trails.find(isAsked) || failing[0] || trails[0];
    const several = trails.some((t) => t.account !== trails[0].account);
    node.replaceChildren(
      h(
        'div',
        { class: 'trail-list' },
        h(
          'h1',
          null,
          'Trails ',
          h(
            'span',
            { class: 'count' },
            `${trails.length} · ${trails.filter((t) => t.logging).length} logging`,
            failing.length > 0 && ` · ${failing.length} failing`,
          ),
        ),
        h(
          'div',
          { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': 'All trails' },
          h(
            'table',
            { class: 'plain-table' },
            h(
              'thead',
              null,
              h(
                'tr',
                null,
                ['Trail', 'State', 'Covers', 'Bucket', 'Last file', 'Waiting'].map((x, i) =>
                  h(
                    'th',
                    { scope: 'col', class: [i > 1 && 'wide', x === 'Waiting' && 'num'].filter(Boolean).join(' ') },
                    x,
                  ),
                ),
              ),
            ),
            h(
              'tbody',
              null,
              trails.map((t) =>
                h(
                  'tr',
                  { class: t === chosen ? 'chosen' : null },
                  h(
                    'th',
                    { scope: 'row' },
                    h(
                      'button',
                      {
                        type: 'button',
                        class: 'textual',
                        'aria-current': t === chosen ? 'true' : null,
                        onclick: () => go({ ...state, trail: keyOf(t) }, true),
                      },
                      plain(t.name, 130),
                    ),
                    h('small', null, t.region, several && ` · ${t.account}`),
                  ),
                  h(
                    'td',
                    null,
                    dot(stateOf(t)[0]),
                    stateOf(t)[1],
                    !t.logging && t.stopped && h('small', null, `stopped ${ago(t.stopped)}`),
                    faultsOf(t).map(({ title, why }) => h('small', { class: 'err' }, `${title}: ${why}`)),
                  ),
                  h('td', { class: 'wide' }, t.multi_region ? 'all regions' : 'this region'),
                  h('td', { class: 'wide mono' }, plain(t.bucket + (t.prefix ? '/' + t.prefix : ''), 80)),
                  h('td', { class: 'wide' }, t.last.s3?.time ? ago(t.last.s3.time) : 'none yet'),
                  h('td', { class: 'wide num' }, number(t.pending), t.next && h('small', null, soon(t.next))),
                ),
              ),
            ),
          ),
        ),
      ),
      one(chosen),
    );
  }
  function one(t) {
    const at = `--region ${q(t.region)}`,
      faults = faultsOf(t),
      [, word] = stateOf(t);
    const target = (title, to, last, off) =>
      h(
        'li',
        { class: !to ? 'off' : last?.error ? 'bad' : 'good' },
        dot(!to ? 'off' : last?.error ? 'bad' : last ? 'good' : 'wait'),
        h('div', null, h('b', null, title), h('span', { class: 'mono' }, to ? plain(to, 160) : off)),
        h('small', null, !to ? '' : last?.error ? plain(last.error, 80) : last ? ago(last.time) : 'nothing yet'),
      );
    const commands = [
      [
        t.logging ? 'Stop logging' : 'Start logging',
        cloudtrail(`${t.logging ? 'stop' : 'start'}-logging ${at} --name ${q(t.name)}`),
      ],
      ['Status', cloudtrail(`get-trail-status ${at} --name ${q(t.name)}`)],
      [
        'Validate files',
        cloudtrail(
          `validate-logs ${at} --trail-arn ${q(t.arn)} --start-time ${new Date((t.started || 0) * 1000).toISOString().slice(0, 19)}Z`,
        ),
      ],
    ];
    return h(
      'section',
      { class: 'trail', 'aria-label': `Trail ${t.name}` },
      h(
        'header',
        null,
        h('h2', null, plain(t.name, 130)),
        h('span', { class: `pill ${faults.length ? 'k-error' : t.logging ? 'k-good' : 'k-off'}` }, word),
        h('p', { class: 'sub mono' }, t.arn),
      ),
      faults.length > 0 &&
        h(
          'div',
          { class: 'problem', role: 'alert' },
          icon('alert'),
          h(
            'div',
            null,
            faults.map(({ title, why }) => h('div', null, h('b', null, `${title}: ${why}`))),
            t.last.s3?.error &&
              h(
                'p',
                null,
                `${amount(t.pending, 'event')} ${t.pending === 1 ? 'waits and is' : 'wait and are'} tried again ${soon(t.next)}; nothing is lost. Is there a bucket “${plain(t.bucket, 80)}”?`,
              ),
          ),
        ),
      h(
        'ul',
        { class: 'targets' },
        target('Files', `s3://${t.bucket}/${t.prefix ? t.prefix + '/' : ''}`, t.last.s3),
        target('Notices', t.topic, t.last.sns, 'no topic'),
        target('Log group', t.log_group, t.last.logs, 'no log group'),
        t.last.webhook && target('Webhook', 'as the settings say', t.last.webhook),
        target(
          'Digests',
          t.validation ? `s3://${t.bucket}/…/CloudTrail-Digest/` : null,
          t.last.digest,
          'validation is off',
        ),
      ),
      h('p', { class: 'sub' }, h('b', null, 'Selects '), plain(t.selectors, 300)),
      t.per_period.some(Boolean) && spark(t.per_period),
      t.digests.length > 0 && chain(t.digests),
      h(
        'div',
        { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': 'Files' },
        h(
          'table',
          { class: 'plain-table' },
          h('caption', null, 'Files'),
          h(
            'thead',
            null,
            h(
              'tr',
              null,
              ['Time', 'Events', 'Size', 'Key'].map((x, i) =>
                h('th', { scope: 'col', class: i === 1 || i === 2 ? 'num' : null }, x),
              ),
            ),
          ),
          h(
            'tbody',
            null,
            t.files.map((f) =>
              h(
                'tr',
                null,
                h(
                  'td',
                  { class: 'mono' },
                  h('span', { class: 'wide' }, stamp(f.time).slice(0, 5)),
                  stamp(f.time).slice(5),
                ),
                h('td', { class: 'num' }, f.events == null ? '–' : number(f.events)),
                h(
                  'td',
                  { class: 'num outcome' },
                  f.error
                    ? h(
                        'span',
                        { class: 'err' },
                        f.attempts ? `try ${f.attempts}: ${plain(f.error, 80)}` : plain(f.error, 80),
                      )
                    : f.bytes == null
                      ? f.state
                      : bytes(f.bytes),
                ),
                h('td', { class: 'mono key' }, h('span', { title: f.key }, plain(f.key.split('/').pop(), 120))),
              ),
            ),
          ),
        ),
      ),
      h('h3', null, 'Commands'),
      h(
        'ul',
        { class: 'commands' },
        commands.map(([label, text]) => h('li', null, h('span', null, label), command(label, text))),
      ),
    );
  }
  const soon = (at) => (!at ? 'later' : at > Date.now() / 1000 ? ago(at) : 'at any moment');
  const dot = (s) => h('i', { class: `dot ${s}` });
  function spark(values) {
    const top = Math.max(1, ...values);
    return h(
      'figure',
      null,
      h('figcaption', null, `Events per period, last ${values.length} with files (highest ${number(top)})`),
      svg(
        'svg',
        {
          viewBox: `0 0 ${values.length * 6} 34`,
          class: 'spark',
          width: values.length * 17,
          'aria-hidden': 'true',
          preserveAspectRatio: 'none',
        },
        values.map((v, i) =>
          svg('rect', {
            x: i * 6,
            width: 5,
            y: 34 - Math.max(v ? 1.5 : 0, (v / top) * 32),
            height: Math.max(v ? 1.5 : 0, (v / top) * 32),
            class: 'hist-write',
          }),
        ),
      ),
    );
  }
  /** One square a digest, oldest first; what stands behind one that did not arrive is not proven. */
  function chain(digests) {
    const word = {
      stored: 'delivered',
      waiting: 'waits to be delivered',
      abandoned: 'given up: the chain breaks here',
    };
    const broken = digests.filter((d) => d.state === 'abandoned').length;
    const note = broken
      ? `${broken} given up`
      : digests.some((d) => d.state === 'waiting')
        ? 'the last still to be delivered'
        : 'unbroken';
    return h(
      'figure',
      null,
      h('figcaption', null, `Digest chain, last ${digests.length}: ${note}`),
      h(
        'ol',
        { class: 'chain' },
        [...digests].reverse().map((d) => {
          const says = `${stamp(d.time)}, ${d.region}: ${amount(d.log_files, 'file')}, ${word[d.state] || d.state}`;
          return h('li', { class: d.state, title: says }, h('span', { class: 'sr' }, says));
        }),
      ),
    );
  }
  return { node, show, keys: {}, leave: () => clearTimeout(timer), redraw: () => state && show(state) };
}
