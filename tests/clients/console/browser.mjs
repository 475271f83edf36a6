//! The browser, the servers and what the tests share. `run` says where they are.
import { chromium } from 'playwright-core';

/** The base addresses of the pages: with a day of events; with nothing; the same, to be filled; with a trail that cannot deliver; of a team with twelve accounts; where one has to sign in with `TOKEN`. */
export const FULL = process.env.FULL,
  EMPTY = process.env.EMPTY,
  FRESH = process.env.FRESH,
  FAILING = process.env.FAILING,
  TEAM = process.env.TEAM,
  GUARDED = process.env.GUARDED,
  TOKEN = process.env.TOKEN;

/** `more`: arguments for Chromium. */
export const launch = (...more) =>
  chromium.launch({
    executablePath: process.env.CHROMIUM,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      ...more,
    ],
  });

/** Opens a page and waits until it shows something. `faults` collects what must not happen. */
export async function open(browser, address, options = {}) {
  const context = await browser.newContext({
    viewport: { width: 1280, height: 800 },
    acceptDownloads: true,
    ...options,
  });
  const page = await context.newPage();
  const faults = [];
  page.on('pageerror', (e) => faults.push(e.message));
  page.on('console', (m) => m.type() === 'error' && faults.push(m.text()));
  page.on('dialog', (d) => {
    faults.push(`dialog: ${d.message()}`);
    d.dismiss();
  });
  page.on('request', (r) => {
    if (!r.url().startsWith(new URL(address).origin)) faults.push(`foreign request: ${r.url()}`);
  });
  await page.goto(address);
  await page.locator('.row:not(.head), .message h2, .trail h2, .server-page h1, .login h1').first().waitFor();
  return { page, faults, close: () => context.close() };
}

/** Presses keys one after the other, each when the page has taken the one before. */
export async function press(page, ...keys) {
  for (const key of keys) {
    await page.keyboard.press(key);
    await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
  }
}

/** Waits until nothing is being read, and nothing moves any more, but for what moves for ever. */
export async function settle(page) {
  // What is read anew is pale meanwhile.
  await page.waitForFunction(() => !document.querySelector('.loading'));
  await page.evaluate(() =>
    Promise.all(
      document
        .getAnimations()
        .filter((a) => Number.isFinite(a.effect.getComputedTiming().endTime))
        .map((a) => a.finished.catch(() => {})),
    ),
  );
}
