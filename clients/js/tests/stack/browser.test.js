/* The SDK in Chromium: see browser/page.js. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { open, serve } from '../support/browser.js';
import { url } from '../support/stack.js';

test('chat, reload and tabs in Chromium', async t => {
	const { origin, result } = await serve(t, url);
	assert.deepEqual(await Promise.race([result, open(t, `${origin}/page/index.html`)]), []);
});
