//! The live tail: its button says how it stands, and it calls back with what arrives.
import { follow } from './api.js';
import { h, icon, toast } from './dom.js';

const WORDS = {
  off: 'Live',
  open: 'Live',
  retrying: 'Live: reconnecting',
  full: 'Live: no place free',
  refused: 'Live: refused',
};

/** `onRows` gets new rows, `onGap` is called when some were missed, `onFirst` when it stands for the first time. */
export function liveTail({ onToggle, onRows, onGap, onFirst }) {
  const label = h('span', null, WORDS.off);
  const node = h(
    'button',
    { type: 'button', class: 'live', 'aria-pressed': 'false', 'data-state': 'off', onclick: onToggle },
    h('i'),
    icon('alert'),
    label,
  );
  let stop = null;

  function draw(state, why) {
    if (why && node.dataset.state !== state) toast(`Not live: ${why}. It is tried again.`);
    node.dataset.state = state;
    node.setAttribute('aria-pressed', String(state !== 'off'));
    node.title = why || 'New events as they are stored (l)';
    label.textContent = WORDS[state];
  }
  function pause() {
    stop?.();
    stop = null;
  }
  draw('off');
  return {
    node,
    isOn: () => node.dataset.state !== 'off',
    /** Closes the stream; the button stays as it is. */
    pause,
    /** On, and not asking yet. */
    wait() {
      pause();
      draw('retrying');
    },
    /** Follows what passes the filters of `params`. */
    start(params) {
      pause();
      draw('retrying');
      let stands = false;
      stop = follow(params, onRows, (state, why) => {
        if (state === 'gap') return onGap();
        draw(state, why);
        if (state === 'open' && !stands) {
          stands = true;
          onFirst();
        }
      });
    },
    end() {
      pause();
      draw('off');
    },
  };
}
