//! A button that opens a list of things to do.
import { button, h } from './dom.js';

/**
 * `items`: [text, what it does, note] each, or { text, checked, run } for what is on or off; a function if they change, asked
 * whenever the list is opened, and after something was switched.
 */
export function menu(label, items, { glyph = 'copy', cls = 'small' } = {}) {
  const list = h('div', { class: 'menu', popover: 'auto' });
  const opener = button(label, {
    glyph,
    class: cls,
    'aria-haspopup': 'menu',
    'aria-label': label,
    onclick: () => place(),
  });
  list.setAttribute('role', 'menu');
  const entry = (item) => {
    const [text, run, note] = Array.isArray(item) ? item : [item.text, item.run];
    const isSwitch = item.checked !== undefined;
    return h(
      'button',
      {
        type: 'button',
        role: isSwitch ? 'menuitemcheckbox' : 'menuitem',
        'aria-checked': isSwitch ? String(item.checked) : null,
        onclick: () => {
          if (!isSwitch) list.hidePopover();
          run();
          if (isSwitch) fill();
        },
      },
      h(
        'span',
        null,
        isSwitch && h('i', { class: 'check-mark', 'aria-hidden': 'true' }, item.checked ? '✓' : ''),
        text,
      ),
      note && h('small', null, note),
    );
  };
  function fill() {
    const at = [...list.children].indexOf(document.activeElement);
    list.replaceChildren(...(typeof items === 'function' ? items() : items).map(entry));
    list.children[at]?.focus();
  }
  list.addEventListener('keydown', (e) => {
    const all = [...list.querySelectorAll('button')],
      by = { ArrowDown: 1, ArrowUp: -1 }[e.key];
    if (by) {
      all[(all.indexOf(document.activeElement) + by + all.length) % all.length].focus();
      e.preventDefault();
      e.stopPropagation();
    }
  });
  function place() {
    fill();
    list.togglePopover();
    if (!list.matches(':popover-open')) return;
    const r = opener.getBoundingClientRect();
    list.style.setProperty('top', `${Math.min(r.bottom + 4, innerHeight - list.offsetHeight - 8)}px`);
    list.style.setProperty('left', `${Math.max(8, Math.min(r.left, innerWidth - list.offsetWidth - 8))}px`);
    list.querySelector('button')?.focus();
  }
  opener.addEventListener('click', (e) => e.stopPropagation());
  return h('span', { class: 'menubox' }, opener, list);
}
