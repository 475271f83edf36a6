//! axe on every view, in both themes, wide and narrow: WCAG 2.2 A and AA, and axe's best practice.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import { after, before, test } from 'node:test';
import { EMPTY, FULL, GUARDED, TEAM, launch, open, press, settle } from './browser.mjs';

const axe = fs.readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
let browser;
before(async () => {
  browser = await launch();
});
after(() => browser.close());

const OPENED = '.detail h2';
const VIEWS = [
  ['list', `${FULL}?range=6h`],
  ['detail', `${TEAM}?range=24h&event=GetObject`, ['j', 'Enter'], OPENED],
  ['JSON', `${FULL}?range=24h`, ['j', 'Enter', '2'], '.tree'],
  ['compare', `${FULL}?range=24h&event=DeleteParameter`, ['j', 'Enter', 'c', 'j', 'j'], 'table.diff'],
  ['refused', `${FULL}?range=24h&errors=1`, ['j', 'Enter'], OPENED],
  ['hostile', `${FULL}?ip=198.51.100.7`, ['j', 'Enter'], OPENED],
  ['suggestions', `${FULL}?range=6h`, ['/', 'a'], '.suggest li'],
  ['keys', `${FULL}?range=6h`, ['?'], 'dialog'],
  ['live', `${FULL}?range=15m`, ['l'], '.live[data-state=open]'],
  ['no match', `${FULL}?service=nothing`],
  ['empty', EMPTY],
  ['trails', `${FULL}?view=trails`],
  ['failing trail', `${TEAM}?view=trails`],
  ['server', `${TEAM}?view=server`],
  ['several accounts', `${TEAM}?range=24h`],
  ['columns', `${TEAM}?range=24h`, [], null, 'Columns'],
  ['no trails', `${EMPTY}?view=trails`],
  ['sign in', `${GUARDED}login`],
  ['wrong token', `${GUARDED}login#wrong`],
];

// The themes differ in nothing but colours.
const ALL = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
  COLOURS = ['color-contrast', 'link-in-text-block'];
for (const [width, colorScheme, rules] of [
  [1280, 'light', ALL],
  [1280, 'dark', COLOURS],
  [390, 'light', ALL],
  [390, 'dark', COLOURS],
]) {
  test(`nothing stands in anybody's way at ${width} px, ${colorScheme}`, async () => {
    const found = [];
    for (const [name, address, keys = [], shows, menu] of VIEWS) {
      // axe is a script of its own, which the page's policy would keep out.
      const { page, close } = await open(browser, address, {
        viewport: { width, height: 800 },
        colorScheme,
        bypassCSP: true,
      });
      await press(page, ...keys);
      const opener = page.getByRole('button', { name: menu });
      if (menu && (await opener.isVisible())) await opener.click();
      if (shows) await page.locator(shows).first().waitFor();
      await settle(page);
      await page.evaluate(axe);
      const { violations } = await page.evaluate((runOnly) => globalThis.axe.run(document, { runOnly }), rules);
      found.push(
        ...violations.map(
          (v) =>
            `${name}: ${v.id} (${v.impact}) ${v.nodes.length} × ${v.nodes[0].target.join(' ')}: ${v.nodes[0].failureSummary.split('\n')[1]}`,
        ),
      );
      await close();
    }
    assert.deepEqual(found, []);
  });
}
