//! Filters as words: chips for what is set, one field to add more, time, kinds, live.
import { button, h, icon, plain } from './dom.js';
import { menu } from './menu.js';
import { stamp } from './model.js';
import { FIELDS, QUESTIONS, RANGES } from './state.js';

/** `live`: the button of the live tail; `columns`: the menu of columns. */
export function querybar({ onState, onCopyView, onFacets, live, columns }) {
  const chips = h('span', { class: 'chips' });
  const suggestions = h('ul', {
    class: 'suggest',
    role: 'listbox',
    id: 'suggest',
    hidden: true,
    'aria-label': 'Suggestions',
  });
  const input = h('input', {
    class: 'query',
    type: 'text',
    id: 'query',
    spellcheck: 'false',
    autocomplete: 'off',
    autocapitalize: 'off',
    placeholder: 'Filter: actor:deploy-bot  event:Delete*  -service:kms  or any text',
    role: 'combobox',
    'aria-label': 'Add a filter',
    'aria-expanded': 'false',
    'aria-controls': 'suggest',
    'aria-autocomplete': 'list',
  });
  const box = h(
    'div',
    {
      class: 'querybox',
      onclick: (e) => {
        if (e.target === box || e.target === chips) input.focus();
      },
    },
    icon('search'),
    chips,
    input,
    h('kbd', { 'aria-hidden': 'true' }, '/'),
    suggestions,
  );
  const times = h('span'),
    kinds = h('div', { class: 'seg', role: 'group', 'aria-label': 'Kinds of event' });
  const errors = h(
    'button',
    {
      type: 'button',
      class: 'toggle',
      'aria-pressed': 'false',
      onclick: () => onState({ ...state, errors: !state.errors, sel: null }),
    },
    'Failed',
  );
  const questions = menu(
    'Questions',
    QUESTIONS.map(([title, note, change]) => [
      title,
      () =>
        onState({ ...state, filters: {}, rw: null, errors: false, q: '', from: null, to: null, sel: null, ...change }),
      note,
    ]),
    { glyph: 'help', cls: 'plainly' },
  );
  const node = h(
    'div',
    { class: 'bar', role: 'search' },
    h(
      'div',
      { class: 'line' },
      button('Facets', { glyph: 'panel', hide: true, class: 'ghost facet-toggle', onclick: onFacets }),
      box,
      times,
      questions,
    ),
    h(
      'div',
      { class: 'line second' },
      kinds,
      errors,
      h('span', { class: 'grow' }),
      h('span', { class: 'summary' }),
      live,
      columns,
      menu(
        'Copy view',
        [
          ['Link to exactly these events', () => onCopyView('link'), 'times fixed'],
          ['Link that moves with time', () => onCopyView('moving'), 'keeps “last …”'],
          ['AWS CLI lookup-events', () => onCopyView('cli')],
          ['curl, as NDJSON', () => onCopyView('curl')],
          ['Download as NDJSON', () => onCopyView('ndjson')],
          ['Download as CSV', () => onCopyView('csv')],
        ],
        { cls: 'plainly copyview' },
      ),
    ),
  );
  let state = null,
    values = {},
    picks = [],
    at = -1,
    added = [];

  function draw(s, facetData) {
    state = s;
    if (facetData) values = facetData;
    // In the order in which they came, so that Backspace takes the last one.
    const now = [
      ...Object.entries(s.filters).flatMap(([field, list]) => list.map((v) => `${field}:${v}`)),
      ...(s.q ? ['text'] : []),
    ];
    added = [...added.filter((key) => now.includes(key)), ...now.filter((key) => !added.includes(key))];
    chips.replaceChildren(
      ...Object.entries(s.filters).flatMap(([field, list]) => list.map((v) => chip(field, v))),
      ...(s.q ? [chip('text', s.q)] : []),
    );
    input.placeholder = chips.children.length
      ? 'Add a filter'
      : 'Filter: actor:deploy-bot  event:Delete*  -service:kms  or any text';
    const label = s.range
      ? `Last ${s.range}`
      : `${stamp(s.from)} – ${stamp(s.to).slice(stamp(s.from).slice(0, 10) === stamp(s.to).slice(0, 10) ? 11 : 5)}`;
    times.replaceChildren(
      menu(
        label,
        [
          ...RANGES.map(([name]) => [`Last ${name}`, () => onState({ ...s, range: name, from: null, to: null })]),
          ['From … to …', () => onState('ask-time')],
        ],
        { glyph: 'clock', cls: 'plainly' },
      ),
    );
    const set = (rw) => () => onState({ ...s, rw, sel: null });
    kinds.replaceChildren(
      ...[
        [null, 'All'],
        ['write', 'Writes'],
        ['read', 'Reads'],
      ].map(([rw, text]) =>
        h('button', { type: 'button', 'aria-pressed': String(s.rw === rw), onclick: set(rw) }, text),
      ),
    );
    errors.setAttribute('aria-pressed', String(s.errors));
  }
  function chip(field, v) {
    const not = v[0] === '!' && field !== 'text',
      bare = not ? v.slice(1) : v;
    const drop = () => {
      if (field === 'text') onState({ ...state, q: '' });
      else {
        const left = state.filters[field].filter((x) => x !== v);
        const filters = { ...state.filters, [field]: left };
        if (!left.length) delete filters[field];
        onState({ ...state, filters });
      }
      input.focus();
    };
    const flip = () => {
      if (field !== 'text')
        onState({
          ...state,
          filters: {
            ...state.filters,
            [field]: state.filters[field].map((x) => (x === v ? (not ? bare : '!' + v) : x)),
          },
        });
    };
    return h(
      'span',
      { class: not ? 'chip not' : 'chip', 'data-key': field === 'text' ? 'text' : `${field}:${v}` },
      h(
        'button',
        {
          type: 'button',
          class: 'flip',
          title: not ? 'Left out: click to keep' : 'Kept: click to leave out',
          onclick: flip,
        },
        h('span', { class: 'f' }, `${not ? 'not ' : ''}${field}`),
        plain(bare, 40),
      ),
      h(
        'button',
        { type: 'button', class: 'x', 'aria-label': `Remove ${field} ${plain(bare, 40)}`, onclick: drop },
        icon('close'),
      ),
    );
  }

  const word = () => /^(-?)(?:(\w+):)?(.*)$/s.exec(input.value.trim()) || [];
  function suggest() {
    const [, minus, field, rest] = word();
    if (field && FIELDS[field])
      picks = (values[FIELDS[field].param]?.values || [])
        .map(([v, n]) => [`${minus}${field}:${field === 'service' ? v.replace('.amazonaws.com', '') : v}`, n])
        .filter(([t]) => t.toLowerCase().includes(rest.toLowerCase()))
        .slice(0, 8);
    else if (rest) {
      const names = Object.keys(FIELDS)
        .filter((f) => f.startsWith(rest.toLowerCase()))
        .map((f) => [`${minus}${f}:`, FIELDS[f].label]);
      const hits = ['event', 'service', 'actor', 'error', 'key', 'ip'].flatMap((f) =>
        (values[FIELDS[f].param]?.values || [])
          .filter(([v]) => v.toLowerCase().includes(rest.toLowerCase()))
          .slice(0, 3)
          .map(([v, n]) => [`${minus}${f}:${f === 'service' ? v.replace('.amazonaws.com', '') : v}`, n]),
      );
      picks = [...names, ...hits, [`“${rest}” anywhere in the record`, 'text']].slice(0, 9);
    } else picks = Object.entries(FIELDS).map(([f, d]) => [`${f}:`, d.label]);
    at = -1;
    paint();
  }
  function paint() {
    suggestions.hidden = !picks.length;
    input.setAttribute('aria-expanded', String(!suggestions.hidden));
    suggestions.replaceChildren(
      ...picks.map(([text, note], i) =>
        h(
          'li',
          {
            role: 'option',
            id: `sug-${i}`,
            'aria-selected': String(i === at),
            onpointerdown: (e) => {
              e.preventDefault();
              at = i;
              take();
            },
          },
          h('span', null, plain(text, 80)),
          h('small', null, note),
        ),
      ),
    );
    if (at >= 0) input.setAttribute('aria-activedescendant', `sug-${at}`);
    else input.removeAttribute('aria-activedescendant');
  }
  function hideList() {
    picks = [];
    paint();
  }
  function take() {
    if (at >= 0) {
      const [text, note] = picks[at];
      if (note === 'text') return commit(true);
      input.value = text;
      if (text.endsWith(':')) {
        suggest();
        return;
      }
    }
    commit(false);
  }
  function commit(asText) {
    const [, minus, field, rest] = word();
    input.value = '';
    hideList();
    if (!rest) return;
    if (!asText && field && FIELDS[field]) {
      const v = (minus ? '!' : '') + rest;
      onState({
        ...state,
        filters: { ...state.filters, [field]: [...new Set([...(state.filters[field] || []), v])] },
        sel: null,
      });
    } else onState({ ...state, q: field && !asText ? `${field}:${rest}` : rest, sel: null });
    requestAnimationFrame(() => input.focus());
  }
  input.addEventListener('input', suggest);
  input.addEventListener('focus', suggest);
  input.addEventListener('blur', hideList);
  input.addEventListener('keydown', (e) => {
    if (e.key === 'ArrowDown' || e.key === 'ArrowUp') {
      at = (at + (e.key === 'ArrowDown' ? 1 : -1) + picks.length + 1) % (picks.length + 1);
      if (at === picks.length) at = -1;
      paint();
      e.preventDefault();
    } else if (e.key === 'Enter') {
      take();
      e.preventDefault();
    } else if (e.key === 'Tab' && at >= 0) {
      take();
      e.preventDefault();
    } else if (e.key === 'Backspace' && !input.value)
      [...chips.children]
        .find((c) => c.dataset.key === added.at(-1))
        ?.querySelector('.x')
        .click();
    else if (e.key === 'Escape') {
      if (!suggestions.hidden) hideList();
      else input.blur();
      e.stopPropagation();
    }
  });
  return { node, draw, focus: () => input.focus(), summary: node.querySelector('.summary') };
}
