//! The picture of the console in README.md and docs/console.md, for `run picture`.
import { launch, open, press, settle } from './browser.mjs';

const browser = await launch();
const { page, close } = await open(browser, `${process.env.PICTURED}?range=24h`, { colorScheme: 'light', viewport: { width: 1280, height: 720 } });
await press(page, 'j', 'j', 'j');
await settle(page);
await page.screenshot({ path: process.env.PICTURE });
await close();
await browser.close();
