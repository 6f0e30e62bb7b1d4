/* What `npm pack` gives, what it weighs, and whether index.d.ts describes what is there. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile, readdir } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import * as sdk from '../../src/index.js';

const PACKAGE = fileURLToPath(new URL('../..', import.meta.url));
const SIZE_MAX = 15 * 1024;
const run = promisify(execFile);
const text = path => readFile(new URL(`../../${path}`, import.meta.url), 'utf8');
/* TypeScript is a package of the tests, not of the SDK. */
const typescript = createRequire(`${process.env.TEST_PACKAGES}/`)('typescript');

const modules = async () => (await readdir(new URL('../../src', import.meta.url))).sort();
const bare = source => typescript.transpileModule(source, {
	compilerOptions: { removeComments: true, target: 'esnext', module: 'esnext' },
}).outputText;
const sources = async () => Promise.all((await modules()).map(name => text(`src/${name}`)));

test('npm pack has the modules, the types, and nothing else', async () => {
	const { stdout } = await run('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], { cwd: PACKAGE });
	const [{ files, name }] = JSON.parse(stdout);
	assert.equal(name, '@parley/client');
	assert.deepEqual(files.map(({ path }) => path).sort(), ['LICENSE', 'README.md', 'package.json',
		...(await modules()).map(module => `src/${module}`), 'types/index.d.ts'].sort());
});

test('the package needs no other, and runs nothing when it is installed', async () => {
	const described = JSON.parse(await text('package.json'));
	for (const key of ['dependencies', 'devDependencies', 'peerDependencies', 'optionalDependencies', 'scripts'])
		assert.equal(described[key], undefined);
	assert.equal(await text('LICENSE'), await text('../../LICENSE'));
	assert.match(await text('../../CHANGELOG.md'), new RegExp(`^## \\[${described.version}\\]`, 'm'));
});

test('the modules import only each other, by names that a browser resolves', async () => {
	const names = new Set(await modules());
	for (const source of await sources())
		for (const { fileName } of typescript.preProcessFile(source).importedFiles)
			assert.ok(fileName.startsWith('./') && names.has(fileName.slice(2)), fileName);
});

test('the modules do not name what only Node has', async () => {
	for (const source of await sources())
		assert.doesNotMatch(bare(source), /\b(node:|require\(|process\.|Buffer\b|__dirname|global\.)/);
});

test('all modules together, without comments, are at most 15 KiB in gzip', async () => {
	const code = (await sources()).map(bare).join('');
	const size = gzipSync(code, { level: 9 }).length;
	assert.ok(code.length > 20000, 'the modules were read');
	assert.ok(size <= SIZE_MAX, `${size} bytes`);
});

/* --- index.d.ts ------------------------------------------------------------------------- */
const declared = async () => {
	const file = typescript.createSourceFile('index.d.ts', await text('types/index.d.ts'), typescript.ScriptTarget.Latest);
	const values = file.statements.filter(it => typescript.isClassDeclaration(it) || typescript.isFunctionDeclaration(it));
	const constants = file.statements.filter(typescript.isVariableStatement)
		.flatMap(it => it.declarationList.declarations);
	return new Map([...values, ...constants].map(it => [it.name.text, new Set((it.members ?? []).map(member =>
		member.name?.text ?? 'constructor'))]));
};

test('index.d.ts declares the names that the package exports', async () =>
	assert.deepEqual([...(await declared()).keys()].sort(), Object.keys(sdk).sort()));

for (const name of ['Client', 'MemoryStore', 'IndexedDBStore'])
	test(`index.d.ts declares the members of ${name}`, async () => {
		const described = (await declared()).get(name);
		const own = new Set(Object.getOwnPropertyNames(sdk[name].prototype));
		if (name !== 'Client')
			own.add('name').add('constructor');
		described.add('constructor');
		assert.deepEqual([...described].sort(), [...own].sort());
	});
