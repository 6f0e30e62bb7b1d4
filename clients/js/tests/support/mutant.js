/*
 * mutant - the SDK with a planted bug: a copy of its modules in which one place is replaced.
 */
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';

/* Resolves to the copy's Client. It fails if the place is not there exactly once. */
export async function mutant(t, { file, from, to }) {
	const folder = await mkdtemp(`${tmpdir()}/parley-mutant-`);
	t.after(() => rm(folder, { recursive: true }));
	await cp(fileURLToPath(new URL('../../src', import.meta.url)), folder, { recursive: true });
	await writeFile(`${folder}/package.json`, '{"type": "module"}');
	const text = await readFile(`${folder}/${file}`, 'utf8');
	if (text.split(from).length !== 2)
		throw new Error(`${file} does not have this once: ${from}`);
	await writeFile(`${folder}/${file}`, text.replace(from, () => to));
	return (await import(`${folder}/index.js`)).Client;
}
