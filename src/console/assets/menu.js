//! A button that opens a list of things to do.
import { button, h } from './dom.js';

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
  list.append(
    ...items.map(([text, run, note]) =>
      h(
        'button',
        {
          type: 'button',
          role: 'menuitem',
          onclick: () => {
            list.hidePopover();
            run();
          },
        },
        text,
        note && h('small', null, note),
      ),
    ),
  );
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
