import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { openStore } from '../../src/storage/open-store.ts';
import { storeContract } from '../contract/store.ts';
import { sha256 } from '../contract/store-samples.ts';

const folder = mkdtempSync(join(tmpdir(), 'vertebra-store-'));
let count = 0;

afterAll(() => rmSync(folder, { recursive: true }));

storeContract('a store in memory', () => openStore({ file: ':memory:', hash: sha256 }));
storeContract('a store in a file', () =>
  openStore({ file: join(folder, `${++count}.db`), hash: sha256 }),
);
