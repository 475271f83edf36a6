//! The only place that makes DOM. Text goes in as text nodes: nothing here, or anywhere, parses HTML.

export function h(tag, props, ...children) {
  return fill(document.createElement(tag), props, children);
}

export function svg(tag, props, ...children) {
  return fill(document.createElementNS('http://www.w3.org/2000/svg', tag), props, children);
}

function fill(node, props, children) {
  for (const [name, value] of Object.entries(props || {})) {
    if (value == null || value === false) continue;
    if (name.startsWith('on')) node.addEventListener(name.slice(2), value);
    else if (name === 'vars') for (const [k, v] of Object.entries(value)) node.style.setProperty(k, v);
    else if (name === 'value' || name === 'checked') node[name] = value;
    // What a reader sees or hears of an attribute may come from a record.
    else node.setAttribute(name, value === true ? '' : SPOKEN.test(name) ? plain(value) : String(value));
  }
  append(node, children);
  return node;
}

const SPOKEN = /^(title|aria-label|aria-valuetext|aria-description|placeholder)$/;

function append(node, children) {
  for (const child of children.flat(Infinity)) {
    if (child == null || child === false) continue;
    node.append(child instanceof Node ? child : String(child));
  }
}

export function replace(node, ...children) {
  node.replaceChildren();
  append(node, children);
}

// Characters that could hide or reorder what is shown (controls, bidi marks, zero-width) become visible escapes.
const HIDDEN = /[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/;
export function plain(value, limit = 2000) {
  let text = value == null ? '' : String(value);
  const cut = text.length > limit;
  if (cut) text = text.slice(0, limit);
  if (HIDDEN.test(text))
    text = text.replace(new RegExp(HIDDEN, 'g'), (c) => '\\u' + c.charCodeAt(0).toString(16).padStart(4, '0'));
  return cut ? `${text}… (${String(value).length} characters)` : text;
}

const PATHS = {
  search: 'M11 11l4 4M7 12A5 5 0 107 2a5 5 0 000 10z',
  clock: 'M8 4.5V8l2.4 1.6M8 14A6 6 0 108 2a6 6 0 000 12z',
  chevron: 'M4.5 6.5L8 10l3.5-3.5',
  close: 'M4 4l8 8M12 4l-8 8',
  copy: 'M5.5 5.5v-3h8v8h-3M2.5 5.5h8v8h-8z',
  link: 'M6.5 9.5l3-3M7 4.5l1.6-1.6a3 3 0 014.3 4.3L11.400 8.800M9 11.500l-1.600 1.600a3 3 0 01-4.300-4.300L4.600 7.200',
  plus: 'M8 3.500v9M3.500 8h9',
  minus: 'M3.500 8h9',
  sun: 'M8 1v1.600M8 13.400V15M1 8h1.600M13.400 8H15M3.100 3.100l1.100 1.100M11.800 11.800l1.100 1.100M3.100 12.900l1.100-1.100M11.800 4.200l1.100-1.100M8 11a3 3 0 100-6 3 3 0 000 6z',
  help: 'M6 6.200a2 2 0 113 1.700c-.7.4-1 .8-1 1.600M8 12v.1M8 14.500a6.500 6.500 0 100-13 6.500 6.500 0 000 13z',
  panel: 'M2 3h12v10H2zM6 3v10',
  compare: 'M8 1.500v13M6 4H2v8h4M10 4h4v8h-4',
  target: 'M8 2v3M8 11v3M2 8h3M11 8h3M8 11a3 3 0 100-6 3 3 0 000 6z',
  download: 'M8 2v8M4.500 7L8 10.500 11.500 7M2.500 13.500h11',
  alert: 'M8 5.500v3.200M8 11.200v.1M8 1.800L14.800 14H1.200z',
  up: 'M8 13V3M3.500 7.500L8 3l4.500 4.500',
};
export function icon(name) {
  return svg('svg', { viewBox: '0 0 16 16', class: 'icon', 'aria-hidden': 'true' }, svg('path', { d: PATHS[name] }));
}

export function button(label, { glyph, hide, ...props } = {}) {
  return h(
    'button',
    { type: 'button', 'aria-label': hide ? label : null, title: hide ? label : null, ...props },
    glyph && icon(glyph),
    hide ? null : h('span', null, label),
  );
}

export function say(text) {
  const status = document.getElementById('status');
  if (status) status.textContent = text;
}

let toastTimer;
export function toast(text) {
  say(text);
  document.querySelector('.toast')?.remove();
  const node = h('div', { class: 'toast' }, text);
  document.body.append(node);
  clearTimeout(toastTimer);
  toastTimer = setTimeout(() => node.remove(), 2600);
}

export async function copy(text, what) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const area = h('textarea', { class: 'sr', value: text });
    document.body.append(area);
    area.select();
    document.execCommand('copy');
    area.remove();
  }
  toast(`Copied: ${what}`);
}
