//! The page as it looks for a team: twelve accounts, data events, a trail that does not deliver, every place of the live view
//! taken, a narrow screen, the keyboard alone.
import assert from 'node:assert/strict';
import http from 'node:http';
import { after, before, test } from 'node:test';
import { EMPTY, FAILING, FULL, TEAM, launch, open, press, settle } from './browser.mjs';
import { ACCOUNTS } from './records.mjs';

let browser;
before(async () => {
  browser = await launch();
});
after(() => browser.close());

/** Waits until these are the columns; a list is arranged anew when it is drawn. */
const columnsAre = (page, names) =>
  page.waitForFunction(
    (names) => [...document.querySelectorAll('.row.head [role=columnheader]')].map((n) => n.innerText).join() === names,
    names.join(),
  );
const row = (page, name) =>
  page.locator('.row:not(.head)', { has: page.locator('.c-event b', { hasText: new RegExp(`^${name}$`) }) }).first();

test('rows say whose they are where there are several accounts and regions, and only there', async () => {
  let { page, faults, close } = await open(browser, `${TEAM}?range=24h`);
  await columnsAre(page, ['Time', 'Event', 'Account', 'Region', 'Actor', 'Target', 'Result']);
  assert.ok(ACCOUNTS.includes(await page.locator('.row:not(.head) .c-account').first().innerText()));
  await page.goto(`${TEAM}?range=24h&account=${ACCOUNTS[3]}&region=eu-west-1`);
  await page.locator('.row:not(.head)').first().waitFor();
  await columnsAre(page, ['Time', 'Event', 'Actor', 'Target', 'Source IP', 'Result']);
  // Where rows have two lines, the second one says it.
  await page.setViewportSize({ width: 320, height: 640 });
  await page.goto(`${TEAM}?range=24h`);
  for (const account of await page.locator('.row:not(.head) .whose-account').all()) {
    const { cut, text } = await account.evaluate((n) => ({
      cut: n.scrollWidth > n.clientWidth + 1,
      text: n.innerText,
    }));
    assert.ok(!cut && ACCOUNTS.includes(text), text);
  }
  assert.deepEqual(faults, []);
  await close();
  ({ page, faults, close } = await open(browser, `${FULL}?range=24h&ip=192.0.2.3`));
  await columnsAre(page, ['Time', 'Event', 'Region', 'Actor', 'Target', 'Source IP', 'Result']);
  await close();
});

test('columns are chosen, remembered, and part of the link', async () => {
  const { page, faults, close } = await open(browser, `${TEAM}?range=24h`, {
    permissions: ['clipboard-read', 'clipboard-write'],
    viewport: { width: 1900, height: 800 },
  });
  await page.getByRole('button', { name: 'Columns' }).click();
  const item = (name) => page.getByRole('menuitemcheckbox', { name });
  assert.equal(await item('Account').getAttribute('aria-checked'), 'true');
  for (const name of ['Account', 'User agent', 'Request ID']) await item(name).click();
  assert.equal(await item('User agent').getAttribute('aria-checked'), 'true');
  await page.keyboard.press('Escape');
  const chosen = ['Time', 'Event', 'Region', 'Actor', 'Target', 'Source IP', 'User agent', 'Request ID', 'Result'];
  await columnsAre(page, chosen);
  await page.locator('.c-agent', { hasText: 'aws-cli/2.30.0' }).first().waitFor();
  assert.match(await page.locator('.row:not(.head) .c-request').last().innerText(), /^[0-9a-f-]{36}$/);
  // Another page of the same browser, without anything in its address.
  await page.goto(`${TEAM}?range=24h`);
  await page.locator('.row:not(.head)').first().waitFor();
  await columnsAre(page, chosen);
  await page.getByRole('button', { name: 'Copy view' }).click();
  await page.getByRole('menuitem', { name: 'Link to exactly these events' }).click();
  const link = new URL(await page.evaluate(() => navigator.clipboard.readText()));
  assert.equal(link.searchParams.get('cols'), 'region,ip,agent,request');
  // Who gets the link sees the same, whatever was chosen there.
  await page.evaluate(() => localStorage.setItem('columns', 'key'));
  await page.goto(link.href);
  await page.locator('.row:not(.head)').first().waitFor();
  await columnsAre(page, chosen);
  await page.getByRole('button', { name: 'Columns' }).click();
  await page.getByRole('menuitem', { name: 'As the events need' }).click();
  await columnsAre(page, ['Time', 'Event', 'Account', 'Region', 'Actor', 'Target', 'Source IP', 'Result']);
  assert.equal(await page.evaluate(() => localStorage.getItem('columns')), null);
  assert.deepEqual(faults, []);
  await close();
});

test('no column is cut while another has room, and the target stays beside an open event', async () => {
  for (const [width, opened] of [
    [1920, false],
    [1280, false],
    [1280, true],
    [1024, false],
    [1024, true],
  ]) {
    const { page, close } = await open(browser, `${TEAM}?range=24h${opened ? '&sel=assumed' : ''}`, {
      viewport: { width, height: 800 },
    });
    if (opened) await page.locator('.detail h2').waitFor();
    await settle(page);
    const columns = await page.evaluate(() => {
      const inner = (cell) => {
        const range = document.createRange();
        range.selectNodeContents(cell);
        return range.getBoundingClientRect().width;
      };
      const columns = {};
      for (const cell of document.querySelectorAll('.row:not(.head) [role=gridcell]')) {
        const column = (columns[cell.className] ??= { cut: false, free: Infinity });
        column.cut ||= cell.scrollWidth > cell.clientWidth + 1;
        column.free = Math.min(column.free, cell.clientWidth - inner(cell));
      }
      return columns;
    });
    assert.ok(columns['c-target'], `there is no target at ${width} px, ${opened ? 'beside' : 'without'} an event`);
    const cut = Object.keys(columns).filter((name) => columns[name].cut);
    // A heading can be wider than all that stands below it; widths go in steps of 8 px.
    const free = Object.keys(columns).filter((name) => columns[name].free > 40);
    assert.ok(!cut.length || !free.length, `${width} px: ${cut} are cut, and ${free} have room`);
    await close();
  }
});

test('the resource that a call was about comes first, the row says how many there are, the event shows all', async () => {
  const { page, close } = await open(browser, `${TEAM}?range=24h&resource=ASIANEWKEY`);
  assert.equal(await row(page, 'AssumeRole').locator('.c-target').innerText(), 'role/release/deployer+4');
  await row(page, 'AssumeRole').click();
  await page.locator('.stacked dd').first().waitFor();
  const names = await page.locator('.stacked dd .v').allInnerTexts();
  assert.equal(names.length, 5);
  assert.equal(names[0], `arn:aws:iam::${ACCOUNTS[0]}:role/release/deployer`);
  // Of many some are shown at first, and the rest when it is asked for.
  await page.goto(`${TEAM}?range=24h&sel=many-targets&event=CreateTags`);
  assert.match(await row(page, 'CreateTags').locator('.c-target').innerText(), /\+29$/);
  await page.locator('.stacked dd').first().waitFor();
  assert.equal(await page.locator('.stacked dd').count(), 20);
  await page.getByRole('button', { name: '10 more' }).click();
  assert.equal(await page.locator('.stacked dd').count(), 30);
  await close();
});

test('a type never lies over its value', async () => {
  for (const width of [1280, 390, 320]) {
    const { page, close } = await open(browser, `${TEAM}?range=24h&sel=long-type`, {
      viewport: { width, height: 800 },
    });
    await page.locator('.stacked dt', { hasText: 'AWS::StepFunctions::StateMachine' }).waitFor();
    const over = await page.evaluate(
      () =>
        [...document.querySelectorAll('.detail dt')].filter((label) => {
          const [a, b] = [label, label.nextElementSibling].map((node) => {
            const range = document.createRange();
            range.selectNodeContents(node);
            return range.getBoundingClientRect();
          });
          return a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
        }).length,
    );
    assert.equal(over, 0, `${width} px`);
    await close();
  }
});

test('data events have a target, and their bucket finds them', async () => {
  const { page, close } = await open(browser, `${TEAM}?range=24h&event=GetObject`);
  assert.match(await page.locator('.c-target').nth(1).innerText(), /^uploads-\d\/2026/);
  await press(page, 'j', 'Enter');
  await page.locator('.stacked dd').nth(2).waitFor();
  const bucket = await page.locator('.stacked dd .v').nth(2).innerText();
  await page.goto(`${TEAM}?range=24h&resource=${bucket}`);
  await page.locator('.row:not(.head)').first().waitFor();
  const found = Number((await page.locator('.summary b').innerText()).replace(/\D/g, ''));
  assert.ok(found > 40 && found < 140, `${found} of 300 objects are in one of four buckets`);
  for (const target of await page.locator('.row:not(.head) .c-target').allInnerTexts())
    assert.ok(target.startsWith(`${bucket}/`), target);
  await close();
});

test('what a record leaves empty has no facet, is no failure, and filters nothing', async () => {
  const { page, faults, close } = await open(browser, `${TEAM}?range=24h&actor=nobody`);
  await page.locator('.summary b', { hasText: /^1$/ }).waitFor();
  assert.equal(await page.locator('.row:not(.head) .c-result').innerText(), 'ok');
  assert.equal(
    await page.locator('.facet[data-field=key], .facet[data-field=ip], .facet[data-field=error]').count(),
    0,
  );
  assert.equal(await page.locator('.hist-error').count(), 0);
  await press(page, 'e');
  await page.locator('.message h2', { hasText: 'Nothing matches' }).waitFor();
  await page.goto(`${TEAM}?range=24h`);
  await page.locator('.facet .keep').first().waitFor();
  for (const text of await page.locator('.facet .keep .text').allInnerTexts()) assert.notEqual(text, '');
  assert.deepEqual(faults, []);
  await close();
});

test('a trail that does not deliver shows on every page, and each leads to it', async () => {
  let { page, faults, close } = await open(browser, `${TEAM}?range=24h`);
  assert.equal(await page.locator('.failing-line').innerText(), 'Trail writes does not deliver: NoSuchBucket');
  await page.locator('.failing-line a').click();
  await page.locator('.trail h2', { hasText: 'writes' }).waitFor();
  assert.equal(new URL(page.url()).searchParams.get('trail'), `${ACCOUNTS[0]}/us-east-1/writes`);
  // The other one was made before it, and is not the one that is shown first.
  await page.goto(`${TEAM}?view=trails`);
  await page.locator('.trail h2', { hasText: 'writes' }).waitFor();
  assert.match(
    await page.locator('.trail-list tbody tr', { hasText: 'writes' }).innerText(),
    /failing\s+Files do not arrive: NoSuchBucket/,
  );
  assert.match(await page.locator('.trail-list tbody tr', { hasText: 'audit' }).innerText(), /logging/);
  // As links had it that were made before there was an account in them.
  await page.goto(`${TEAM}?view=trails&trail=us-east-1/audit`);
  await page.locator('.trail h2', { hasText: 'audit' }).waitFor();
  await press(page, 'g', 's');
  await page.locator('.failing li').waitFor();
  assert.match(
    await page.locator('.failing li').innerText(),
    /^writes: files of us-east-1, account \d{12}: NoSuchBucket$/,
  );
  await page.locator('.failing a').click();
  await page.locator('.trail h2', { hasText: 'writes' }).waitFor();
  assert.deepEqual(faults, []);
  await close();
  ({ page, faults, close } = await open(browser, FULL));
  assert.equal(await page.locator('.failing-line').count(), 0);
  await close();
});

test('on a narrow screen the state of trails is read without scrolling sideways', async () => {
  const { page, close } = await open(browser, `${TEAM}?view=trails`, { viewport: { width: 320, height: 640 } });
  for (const [trail, words] of [
    ['writes', ['failing', 'Files do not arrive: NoSuchBucket']],
    ['audit', ['logging']],
  ]) {
    const cell = page.locator('.trail-list tbody tr', { hasText: trail }).locator('td').first();
    const { x, width } = await cell.boundingBox();
    assert.ok(x >= 0 && x + width <= 320, trail);
    for (const word of words) assert.ok((await cell.innerText()).includes(word), word);
  }
  const outcome = await page.locator('.outcome').first().boundingBox();
  assert.ok(outcome.x + outcome.width <= 320, 'what became of a file');
  await close();
});

test('a role is shown with its session', async () => {
  const { page, close } = await open(browser, `${TEAM}?range=24h&type=AssumedRole&actor=ana`);
  assert.equal(await page.locator('.row:not(.head) .c-actor .name').first().innerText(), 'Deploy/ana');
  await press(page, 'j', 'Enter');
  await page.locator('.detail dt', { hasText: 'Role' }).first().waitFor();
  await close();
});

test('the keyboard reaches the list in a few stops, and Enter opens its first row', async () => {
  const { page, faults, close } = await open(browser, `${TEAM}?range=24h`);
  await settle(page);
  await page.locator('.facet .keep').first().waitFor();
  const focused = () =>
    page.evaluate(() => document.activeElement.getAttribute('role') || document.activeElement.dataset.stop || '');
  await press(page, 'Tab');
  assert.equal(await page.evaluate(() => document.activeElement.className), 'skip');
  await press(page, 'Enter');
  assert.equal(await focused(), 'grid');
  await press(page, 'Enter');
  await page.locator('.detail h2').waitFor();
  assert.equal(await page.locator('.row.open').getAttribute('aria-rowindex'), '2');
  await press(page, 'Escape');

  // Backwards from the list: each facet is one stop.
  const facets = await page.locator('.facet').count();
  assert.ok(facets >= 6, String(facets));
  for (let i = 0; i < facets; i++) {
    await press(page, 'Shift+Tab');
    assert.match(await focused(), / heading$/);
  }
  await press(page, 'Shift+Tab');
  assert.doesNotMatch(await focused(), / heading$/);
  await press(page, 'Tab', 'ArrowDown');
  assert.equal(await focused(), 'service keep s3.amazonaws.com');
  await press(page, 'ArrowRight');
  assert.equal(await focused(), 'service drop s3.amazonaws.com');
  await press(page, 'ArrowLeft', 'Enter');
  await page.waitForFunction(() => location.search.includes('service=s3'));
  await settle(page);
  // The facets were drawn anew, and the place in them is the same.
  await page.waitForFunction(() => document.activeElement.dataset.stop === 'service keep s3.amazonaws.com');
  assert.equal(await page.locator('.facet [tabindex="0"]').count(), await page.locator('.facet').count());
  assert.deepEqual(faults, []);
  await close();
});

test('menus stay on the screen, however narrow', async () => {
  const { page, close } = await open(browser, `${TEAM}?range=24h`, { viewport: { width: 320, height: 640 } });
  for (const name of ['Last 24h', 'Questions', 'Copy view']) {
    await page.getByRole('button', { name }).click();
    const { x, y, width, height } = await page.locator('.menu:popover-open').boundingBox();
    assert.ok(x >= 0 && x + width <= 320 && y >= 0 && y + height <= 640, `${name}: ${x} ${y} ${width} ${height}`);
    const cut = await page
      .locator('.menu:popover-open button')
      .evaluateAll((all) => all.filter((item) => item.scrollWidth > item.clientWidth).length);
    assert.equal(cut, 0, name);
    await page.keyboard.press('Escape');
  }
  await close();
});

test('when all places of the live view are taken it says so, and takes the first that is free', async () => {
  const streams = await Promise.all(
    Array.from({ length: 64 }, () => {
      const request = http.get(`${TEAM}events/stream`);
      return new Promise((done) =>
        request.on('response', (response) => done({ request, status: response.statusCode })),
      );
    }),
  );
  assert.deepEqual([...new Set(streams.map((stream) => stream.status))], [200]);
  const { page, close } = await open(browser, `${TEAM}?range=15m`);
  await press(page, 'l');
  await page.locator('.live[data-state=full]').waitFor();
  assert.equal(await page.locator('.live').innerText(), 'Live: no place free');
  await page.locator('.toast', { hasText: 'too many readers' }).waitFor();
  for (const { request } of streams) request.destroy();
  await page.locator('.live[data-state=open]').waitFor();
  assert.equal(await page.locator('.live').innerText(), 'Live');
  await close();
});

test('one is one, and what is not plain explains itself', async () => {
  const { page, close } = await open(browser, `${TEAM}?range=24h&q=order-processing`);
  assert.match(await page.locator('.summary').innerText(), /^1 event ·/);
  assert.match(await page.locator('.foot').innerText(), /^That is all: 1 event since/);
  assert.match(await page.locator('.zone').getAttribute('title'), /^Times are local: .+\. Show UTC/);
  await press(page, 'z');
  assert.match(await page.locator('.zone').getAttribute('title'), /^Times are in UTC/);
  await page.locator('.server a', { hasText: 'today era' }).click();
  await page.locator('.server-page dd', { hasText: 'LookupEvents lists every management event' }).waitFor();
  await close();
});

test('every command has a button that copies it, and names the server', async () => {
  for (const [address, least] of [
    [EMPTY, 3],
    [`${EMPTY}?view=trails`, 2],
    [`${FAILING}?view=trails`, 3],
  ]) {
    const { page, close } = await open(browser, address, { permissions: ['clipboard-read', 'clipboard-write'] });
    await page.locator('.command').first().waitFor();
    const commands = await page.locator('.command').all();
    assert.ok(commands.length >= least, address);
    for (const command of commands) {
      const text = await command.locator('pre').innerText();
      await command.getByRole('button').click();
      assert.equal(await page.evaluate(() => navigator.clipboard.readText()), text);
      if (text.startsWith('aws ')) assert.ok(text.includes(`--endpoint-url ${new URL(address).origin} `), text);
    }
    assert.equal(await page.locator('pre:not(.command pre)').count(), 0, 'a command without a button');
    await close();
  }
});
