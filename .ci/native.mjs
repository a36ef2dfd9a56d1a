// The add-on by which pins are reached through the character device: compiled where a C compiler
// and Node's headers are, without network. Where they are not, vertebra does without.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';

export const SOURCE = 'src/hardware/native/binding.c';
/** Under build/. */
export const ADD_ON = 'native/gpio.node';

/** Node-API 8 is in every Node from 12.22 on. */
const FLAGS = ['-shared', '-fPIC', '-O2', '-Wall', '-Wextra', '-Werror', '-fvisibility=hidden'];

function findCompiler() {
  const names = [process.env.CC, 'cc', 'gcc', 'clang'].filter((name) => name);
  const folders = (process.env.PATH ?? '').split(delimiter);
  return names
    .flatMap((name) => (name.includes('/') ? [name] : folders.map((each) => join(each, name))))
    .find((path) => existsSync(path));
}

/** They come with Node, with Debian's libnode-dev, or node-gyp fetched them for another package. */
function findHeaders() {
  const gyp = join(homedir(), '.cache/node-gyp', process.versions.node);
  const roots = [dirname(dirname(process.execPath)), process.env.npm_config_nodedir, gyp, '/usr'];
  return roots
    .filter((root) => root)
    .flatMap((root) => [join(root, 'include/node'), join(root, 'include/nodejs')])
    .find((folder) => existsSync(join(folder, 'node_api.h')));
}

/** What it would be compiled with here; `missing` says what is not there. */
export function toolsOf() {
  if (process.platform !== 'linux') return { missing: 'not Linux' };
  const compiler = findCompiler();
  if (compiler === undefined) return { missing: 'no C compiler: sudo apt-get install gcc' };
  const headers = findHeaders();
  if (headers === undefined) return { missing: "no node_api.h, which comes with Node's headers" };
  return { compiler, headers };
}

/** @returns null, or why it did not compile. */
export function compileNative({ compiler, headers }, source, target) {
  const defines = ['-DNAPI_VERSION=8', `-I${headers}`];
  const args = [...FLAGS, ...defines, '-o', target, source];
  const { status, stderr, error } = spawnSync(compiler, args, { encoding: 'utf8' });
  if (status === 0) return null;
  return (stderr || error?.message || `${compiler} ended with ${status}`).trim();
}
