//! A command line to copy.
import { button, copy, h } from './dom.js';

/** `label` says what the command does. */
export const command = (label, text) =>
  h(
    'div',
    { class: 'command' },
    h('pre', { class: 'code', tabindex: '0', 'aria-label': `Command: ${label}` }, text),
    button(`Copy the command: ${label}`, {
      glyph: 'copy',
      hide: true,
      class: 'small',
      onclick: () => copy(text, label),
    }),
  );
