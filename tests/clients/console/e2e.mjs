//! The page in a real browser on a real server, as people use it.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { after, before, test } from 'node:test';
import { EMPTY, FAILING, FRESH, FULL, GUARDED, TOKEN, launch, open, press, settle } from './browser.mjs';
import { day } from './records.mjs';

let browser;
before(async () => {
  browser = await launch();
});
after(() => browser.close());

const search = (page) => page.evaluate(() => location.search);
const put = (records) =>
  fetch(`${FULL}events`, { method: 'POST', body: records.map((r) => JSON.stringify(r)).join('\n') });

test('the address is the state: filters survive a reload and the back button', async () => {
  const { page, faults, close } = await open(browser, `${FULL}?range=24h`);
  await page.locator('.facet .keep', { hasText: 'ssm' }).first().click();
  await page.waitForFunction(() => location.search.includes('service=ssm'));
  await page.keyboard.press('w');
  await page.waitForFunction(() => location.search.includes('rw=write'));
  const url = page.url();
  await page.reload();
  await page.locator('.row:not(.head)').first().waitFor();
  assert.equal(page.url(), url);
  assert.match(await page.locator('.chips').innerText(), /service\s*ssm/);
  await page.goBack();
  await page.waitForFunction(() => !location.search.includes('rw='));
  assert.deepEqual(faults, []);
  await close();
});

test('everything by keyboard: filter, move, open, compare, close', async () => {
  const { page, faults, close } = await open(browser, `${FULL}?range=24h`);
  await page.keyboard.press('/');
  await page.keyboard.type('event:DeleteParameter');
  await page.keyboard.press('Enter');
  await page.waitForFunction(() => location.search.includes('event=DeleteParameter'));
  await page.keyboard.press('Escape');
  await page.locator('.row .c-event b', { hasText: 'DeleteParameter' }).first().waitFor();
  await press(page, 'j', 'Enter');
  await page.locator('.detail h2', { hasText: 'DeleteParameter' }).waitFor();
  await press(page, 'c', 'j', 'j');
  await page.locator('table.diff').first().waitFor();
  assert.match(await search(page), /cmp=/);
  await page.keyboard.press('Escape');
  await page.locator('.detail').waitFor({ state: 'hidden' });
  assert.equal(await page.evaluate(() => document.activeElement.getAttribute('role')), 'grid');
  assert.deepEqual(faults, []);
  await close();
});

test('keys are not lost, and the last event chosen is the one shown, however slowly events are answered', async () => {
  const { page, faults, close } = await open(browser, `${FULL}?range=24h&event=DeleteParameter`);
  const held = [];
  let holding = true;
  await page.route(/\/events\/[^/?]+$/, (route) => (holding ? void held.push(route) : route.continue()));
  await press(page, 'j', 'Enter', 'c', 'j', 'j');
  const chosen = await page.evaluate(() => new URLSearchParams(location.search).get('sel'));
  holding = false;
  // The last one asked for is answered first.
  for (const route of held.reverse())
    await Promise.all([page.waitForResponse(route.request().url()), route.continue()]);
  await page.locator('table.diff').first().waitFor();
  await page.keyboard.press('2');
  await page.locator('.tree').waitFor();
  assert.match(await page.locator('.tree').innerText(), new RegExp(chosen));
  assert.deepEqual(faults, []);
  await close();
});

test('Backspace takes the filter that was added last', async () => {
  const { page, close } = await open(browser, `${FULL}?service=ssm&actor=ana`);
  await page.locator('.facet li:not(.on) .keep').first().click();
  await page.waitForFunction(() => (location.search.match(/service=/g) || []).length === 2);
  await page.keyboard.press('/');
  await page.keyboard.press('Backspace');
  await page.waitForFunction(() => (location.search.match(/service=/g) || []).length === 1);
  assert.equal(await search(page), '?service=ssm&actor=ana');
  await close();
});

test('a span dragged on the histogram becomes the time', async () => {
  const { page, faults, close } = await open(browser, `${FULL}?range=6h`);
  const box = await page.locator('.hist-plot').boundingBox();
  await page.mouse.move(box.x + box.width * 0.8, box.y + 30);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * 0.9, box.y + 30, { steps: 4 });
  await page.mouse.up();
  await page.waitForFunction(() => /from=\d+&to=\d+/.test(location.search));
  assert.deepEqual(faults, []);
  await close();
});

test('only the rows in sight are in the page, however many are read', async () => {
  const { page, close } = await open(browser, `${FULL}?range=90d`);
  const known = () => page.evaluate(() => Number(document.querySelector('.grid').getAttribute('aria-rowcount')) - 1);
  while ((await known()) < 1500) {
    const before = await known();
    await page.locator('.grid').evaluate((g) => {
      g.scrollTop = g.scrollHeight;
    });
    await page.waitForFunction(
      (n) => Number(document.querySelector('.grid').getAttribute('aria-rowcount')) - 1 > n,
      before,
    );
  }
  assert.ok((await page.locator('.row:not(.head)').count()) < 80);
  await close();
});

test('a call shows up in a live page, and a hidden page does not ask', async () => {
  const { page, faults, close } = await open(browser, `${FULL}?range=15m`);
  const streams = [];
  page.on('request', (r) => r.url().includes('/events/stream') && streams.push(r.url()));
  await page.keyboard.press('l');
  await page.locator('.live[data-state=open]').waitFor();
  const began = Date.now();
  await fetch(new URL('/', FULL), {
    method: 'POST',
    headers: {
      authorization:
        'AWS4-HMAC-SHA256 Credential=111122223333/20260101/us-east-1/cloudtrail/aws4_request, SignedHeaders=host, Signature=0',
      'content-type': 'application/x-amz-json-1.1',
      'x-amz-target': 'CloudTrail_20131101.UpdateTrail',
    },
    body: JSON.stringify({ Name: 'audit', S3KeyPrefix: 'live' }),
  });
  await page.locator('.row .c-event b', { hasText: 'UpdateTrail' }).waitFor();
  console.log(`a call was seen after ${Date.now() - began} ms`);
  const hide = (hidden) =>
    page.evaluate((value) => {
      Object.defineProperty(document, 'hidden', { value, configurable: true });
      document.dispatchEvent(new Event('visibilitychange'));
    }, hidden);
  await hide(true);
  const fresh = {
    ...day(Date.now() / 1000, 1)[0],
    eventID: 'while-hidden',
    eventName: 'WhileHidden',
    eventTime: new Date().toISOString(),
  };
  await put([fresh]);
  assert.equal(await page.locator('.row .c-event b', { hasText: 'WhileHidden' }).count(), 0);
  await hide(false);
  await page.locator('.row .c-event b', { hasText: 'WhileHidden' }).waitFor();
  await page.locator('.live[data-state=open]').waitFor();
  assert.equal(streams.length, 2, 'one before, one after');
  assert.deepEqual(faults, []);
  await close();
});

test('what arrives between the list and the live stream is shown all the same', async () => {
  const { page, faults, close } = await open(browser, `${FULL}?range=15m`);
  await page.route('**/events/stream*', async (route) => {
    const fresh = {
      ...day(Date.now() / 1000, 1)[0],
      eventID: 'in-between',
      eventName: 'InBetween',
      eventTime: new Date().toISOString(),
    };
    await put([fresh]);
    await route.continue();
  });
  await page.keyboard.press('l');
  await page.locator('.row .c-event b', { hasText: 'InBetween' }).waitFor();
  assert.deepEqual(faults, []);
  await close();
});

test('a history that was empty and has filled is not called empty', async () => {
  const { page, close } = await open(browser, FRESH);
  await page.locator('.message h2', { hasText: 'No events yet' }).waitFor();
  const first = day(Date.now() / 1000, 1).map((r) => JSON.stringify(r));
  await fetch(`${FRESH}events`, { method: 'POST', body: first.join('\n') });
  await press(page, 'r');
  await page.locator('.row:not(.head)').first().waitFor();
  await page.keyboard.press('/');
  await page.keyboard.type('event:Nothing');
  await page.keyboard.press('Enter');
  await page.locator('.message h2', { hasText: 'Nothing matches' }).waitFor();
  await close();
});

test('records that attack the page are text', async () => {
  const { page, faults, close } = await open(browser, `${FULL}?ip=198.51.100.7`);
  const names = await page.locator('.row .c-event b').allInnerTexts();
  assert.ok(names.includes('<img src=x onerror=alert(1)>'), names.join());
  await page.locator('.row .c-event b', { hasText: '<img' }).click();
  await page.locator('.detail h2', { hasText: '<img' }).waitFor();
  await press(page, '2');
  await page.locator('.tree').waitFor();
  assert.equal(await page.locator('main img, main script, main b b, main i i').count(), 0);
  assert.equal(await page.evaluate(() => ({}).polluted), undefined);
  assert.ok((await page.locator('.detail').innerText()).includes('\\u202e'));
  const hidden = await page.evaluate(
    () =>
      [...document.querySelectorAll('[title], [aria-label]')].filter((n) =>
        /[\u202a-\u202e\u0000]/.test((n.title || '') + (n.getAttribute('aria-label') || '')),
      ).length,
  );
  assert.equal(hidden, 0, 'characters that reorder text');
  assert.deepEqual(faults, []);
  await close();
});

test('a value that looks like a filter is taken as it is', async () => {
  const { page, close } = await open(browser, `${FULL}?ip=198.51.100.7`);
  await page.locator('.facet .keep', { hasText: '!not*' }).first().click();
  await page.waitForFunction(() => location.search.includes('actor='));
  await page.locator('.row .c-event b', { hasText: '!important*' }).waitFor();
  await page.waitForFunction(() => document.querySelectorAll('.row:not(.head)').length === 1);
  await page.locator('.row .c-event b').click();
  await page.locator('.detail h2', { hasText: '!important*' }).waitFor();
  await close();
});

test('markup that is put in on purpose is refused by the browser', async () => {
  const { page, close } = await open(browser, FULL);
  const refused = await page.evaluate(() => {
    try {
      document.body.insertAdjacentHTML('beforeend', '<b id=injected>x</b>');
      return '';
    } catch (error) {
      return error.name;
    }
  });
  assert.equal(refused, 'TypeError');
  assert.equal(await page.locator('#injected').count(), 0);
  await close();
});

test('a page in a bucket does not run, and a name of others does not lead to the server', async () => {
  const { origin, port } = new URL(FRESH);
  const attack = `<p>still</p><script>document.body.innerText = 'ran';
    fetch('/_contrail/reset?everything=yes', { method: 'POST' })</script>`;
  for (const [path, body] of [
    ['/pages', ''],
    ['/pages/page.html', attack],
  ]) {
    assert.equal((await fetch(origin + path, { method: 'PUT', body })).status, 200);
  }
  await fetch(`${FRESH}events`, { method: 'POST', body: JSON.stringify(day(Date.now() / 1000, 1)[0]) });
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(`${origin}/pages/page.html?response-content-type=text/html`);
  assert.equal(await page.locator('body').innerText(), 'still');
  assert.notEqual(await (await fetch(`${FRESH}events`)).text(), '', 'the history is still there');
  await context.close();

  const misled = await launch('--host-resolver-rules=MAP evil.test 127.0.0.1');
  const elsewhere = await misled.newPage();
  const answer = await elsewhere.goto(`http://evil.test:${port}/pages/page.html`);
  assert.equal(answer.status(), 403);
  await misled.close();
});

test('what is shown can be taken away as NDJSON and as CSV', async () => {
  const { page, faults, close } = await open(browser, `${FULL}?range=24h&event=DeleteParameter`);
  for (const [item, first] of [
    ['Download as NDJSON', /^\{"eventVersion"/],
    ['Download as CSV', /^time,event_name,/],
  ]) {
    await page.getByRole('button', { name: 'Copy view' }).click();
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('menuitem', { name: item }).click(),
    ]);
    const lines = fs
      .readFileSync(await download.path(), 'utf8')
      .trim()
      .split('\n');
    assert.match(lines[0], first);
    assert.ok(lines.length > 10 && lines.at(-1).includes('DeleteParameter'), item);
  }
  assert.deepEqual(faults, []);
  await close();
});

test('a fault of the server is said, and the filters stay', async () => {
  const { page, close } = await open(browser, `${FULL}?event=DeleteParameter`);
  // What is still being read would come behind the fault.
  await settle(page);
  await page.route('**/events?*', (route) =>
    route.fulfill({ status: 503, json: { error: 'too much to read: narrow the time' } }),
  );
  await press(page, 'r');
  await page.locator('.message', { hasText: 'too much to read: narrow the time' }).waitFor();
  assert.match(await page.locator('.chips').innerText(), /DeleteParameter/);
  await page.unroute('**/events?*');
  await page.getByRole('button', { name: 'Try again' }).click();
  await page.locator('.row:not(.head)').first().waitFor();
  await close();
});

test('nothing found says why and offers a way on; an empty history says how to begin', async () => {
  let { page, close } = await open(browser, `${FULL}?range=1h&service=nothing`);
  await page.locator('.message h2', { hasText: 'Nothing matches' }).waitFor();
  await page.getByRole('button', { name: 'Clear filters' }).click();
  await page.locator('.row:not(.head)').first().waitFor();
  await close();
  ({ page, close } = await open(browser, EMPTY));
  await page.locator('.message h2', { hasText: 'No events yet' }).waitFor();
  // Three ways to begin, each with a line to copy.
  const commands = await page.locator('.welcome .code').allInnerTexts();
  assert.equal(commands.length, 3);
  assert.match(commands[0], new RegExp(`^aws --endpoint-url ${new URL(EMPTY).origin} cloudtrail create-trail `));
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  await page.getByRole('button', { name: 'Copy the command: Import events you have' }).click();
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), commands[1]);
  await page.goto(`${EMPTY}?view=trails`);
  await page.locator('.message h2', { hasText: 'No trails' }).waitFor();
  await close();
});

test('a trail that cannot deliver says so, and how many events wait', async () => {
  const { page, faults, close } = await open(browser, `${FAILING}?view=trails`);
  const problem = await page.locator('.problem').innerText();
  assert.match(problem, /Files do not arrive: NoSuchBucket/);
  assert.match(problem, /nothing is lost/);
  assert.match(await page.locator('.trail .pill').first().innerText(), /failing/);
  assert.deepEqual(faults, []);
  await close();
});

test('the server shows what it holds and how it is set', async () => {
  const { page, faults, close } = await open(browser, FULL);
  await press(page, 'g', 's');
  await page.locator('.server-page h1').waitFor();
  const text = await page.locator('.server-page').innerText();
  assert.match(text, /111122223333\s+eu-west-1/);
  assert.match(text, /delivery\.period\s+5m/);
  assert.deepEqual(faults, []);
  await close();
});

test('no page is wider than a phone', async () => {
  for (const width of [390, 320]) {
    for (const address of [
      FULL,
      `${FULL}?sel=00000000-0000-4000-a000-000000000000`,
      `${FULL}?view=trails`,
      `${FULL}?view=server`,
      `${EMPTY}?view=trails`,
      EMPTY,
      `${FAILING}?view=trails`,
    ]) {
      const { page, close } = await open(browser, address, { viewport: { width, height: 700 } });
      const wide = await page.evaluate(() => document.scrollingElement.scrollWidth);
      assert.ok(wide <= width, `${address} is ${wide} px wide at ${width}`);
      await close();
    }
  }
});

test('contrast is 4.5:1 everywhere, in both themes', async () => {
  for (const colorScheme of ['light', 'dark']) {
    const { page, close } = await open(browser, `${FULL}?range=24h&errors=1`, { colorScheme });
    await press(page, 'j', 'Enter');
    await page.locator('.detail h2').waitFor();
    await settle(page);
    const low = await page.evaluate(() => {
      const rgb = (c) => {
        const m = c.match(/[\d.]+/g).map(Number);
        return c.startsWith('color(srgb')
          ? [...m.slice(0, 3).map((v) => v * 255), m[3] ?? 1]
          : [m[0], m[1], m[2], m[3] ?? 1];
      };
      const over = (a, b) => [0, 1, 2].map((i) => a[i] * a[3] + b[i] * (1 - a[3]));
      const lum = (c) => {
        const [r, g, b] = c.map((v) => {
          v /= 255;
          return v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
        });
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
      };
      const out = [];
      for (const el of document.querySelectorAll('body *')) {
        if (
          ![...el.childNodes].some((n) => n.nodeType === 3 && n.data.trim()) ||
          !el.checkVisibility({ visibilityProperty: true, opacityProperty: true }) ||
          el.closest('.sr, .skip')
        )
          continue;
        const layers = [];
        for (let e = el; e; e = e.parentElement) {
          const c = rgb(getComputedStyle(e).backgroundColor);
          if (c[3]) layers.push(c);
          if (c[3] === 1) break;
        }
        let back = [255, 255, 255];
        for (const l of layers.reverse()) back = over(l, back);
        const front = over(rgb(getComputedStyle(el).color), back),
          [hi, lo] = [lum(front), lum(back)].sort((a, b) => b - a),
          ratio = (hi + 0.05) / (lo + 0.05);
        if (ratio < 4.5) out.push(`${el.className || el.tagName} ${el.textContent.slice(0, 20)} ${ratio.toFixed(2)}`);
      }
      return [...new Set(out)];
    });
    assert.deepEqual(low, [], colorScheme);
    await close();
  }
});

test('where a token is asked for, one signs in and reads', async () => {
  // Before that, what the page asks for is refused, which the browser says in its console.
  const { page, close } = await open(browser, `${GUARDED}?range=24h`);
  await page.waitForURL(/login$/);
  assert.equal(await page.locator('#wrong').isVisible(), false);
  await page.getByLabel('Token').fill('wrong');
  await page.keyboard.press('Enter');
  await page.locator('#wrong').waitFor();
  await page.getByLabel('Token').fill(TOKEN);
  await page.keyboard.press('Enter');
  await page.locator('.message h2').first().waitFor();
  await page.goto(`${GUARDED}?view=server`);
  await page.locator('.server-page h1').waitFor();
  const refused = await page.evaluate(async () => (await fetch('reset?everything=yes', { method: 'POST' })).status);
  assert.equal(refused, 403);
  assert.equal(await page.evaluate(() => document.cookie), '');
  await close();
});
