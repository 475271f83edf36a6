//! Destinations whose last try failed, in words, with the way to their trails.
import { h, icon, plain } from './dom.js';
import { amount } from './model.js';
import { format, parse } from './state.js';

const WHAT = {
  log_file: 'files',
  log_stream: 'events in its log group',
  topic: 'notices',
  digest: 'digests',
  webhook: 'notices at the webhook',
  event_bus: 'events on the event bus',
};

/** How an address names a trail: names are used again in other accounts and regions. */
export const keyOf = (trail) => `${trail.account}/${trail.region}/${trail.name}`;

/** A link to where a destination is shown: its trail, or the server, where there is none or it is deleted. */
function linkTo(trail, text, go) {
  const isShown = trail && !trail.deleted;
  const state = { ...parse(''), view: isShown ? 'trails' : 'server', trail: isShown ? keyOf(trail) : null };
  return h(
    'a',
    {
      href: format(state),
      onclick: (e) => {
        if (e.metaKey || e.ctrlKey || e.shiftKey) return;
        e.preventDefault();
        go(state);
      },
    },
    text,
  );
}
const nameOf = (trail) => plain(trail.name, 130) + (trail.deleted ? ' (deleted)' : '');
const where = (f) => `${plain(f.region, 30)}, account ${plain(f.account, 12)}`;
const why = (f) => (f.error ? plain(f.error, 120) : amount(f.failures, 'failed try', 'failed tries'));

/** Every destination with its trail: for the server's page. */
export const failingList = (failing, go) =>
  h(
    'ul',
    { class: 'failing' },
    failing.map((f) =>
      h(
        'li',
        null,
        f.trail ? [linkTo(f.trail, nameOf(f.trail), go), `: ${WHAT[f.kind]}`] : WHAT[f.kind],
        ` of ${where(f)}: `,
        h('span', { class: 'err' }, why(f)),
      ),
    ),
  );

/** One line that leads there: for the page of events. */
export function failingLine(failing, go) {
  const first = failing.find((f) => f.trail) || failing[0];
  const trails = new Set(failing.filter((f) => f.trail).map((f) => keyOf(f.trail)));
  const said = !trails.size
    ? [linkTo(null, amount(failing.length, 'destination'), go), failing.length > 1 ? ' fail' : ' fails']
    : trails.size > 1
      ? [linkTo(first.trail, `${trails.size} trails`, go), ' do not deliver']
      : ['Trail ', linkTo(first.trail, nameOf(first.trail), go), ' does not deliver'];
  return h('p', { class: 'failing-line', role: 'status' }, icon('alert'), h('span', null, said, `: ${why(first)}`));
}
