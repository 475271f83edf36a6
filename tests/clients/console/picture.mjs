//! The picture of the console in README.md and docs/console.md, for `run picture`.
import { FULL, launch, open, press, settle } from './browser.mjs';

const browser = await launch();
const { page, close } = await open(browser, `${FULL}?range=24h`, { colorScheme: 'light', viewport: { width: 1280, height: 720 } });
await press(page, 'j', 'j', 'Enter');
await page.locator('.detail h2').waitFor();
await settle(page);
await page.screenshot({ path: process.env.PICTURE });
await close();
await browser.close();
