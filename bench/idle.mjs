// Agents with nothing to do, as their users run them: three processes of one World that has worked.
import { strictEqual } from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { root } from '../.ci/preflight.mjs';
import { compare, resultOf, roundsOf } from './harness.mjs';
import { makeHomes } from './own-home.mjs';
import { readingAt, readingPact } from './sample-reading.mjs';
import { withScratchFolder } from './scratch-folder.mjs';

const AGENT_COUNT = 3;
const STARTUP_ROUNDS = 7;
const TRAFFIC_ROUNDS = 3;
const SETTLE_MS = 15_000;
const WINDOW_MS = 60_000;

const main = join(root, 'build/cli/main.js');

/** A command of vertebra, its answer as JSON. */
function vertebra(home, args, input) {
  const command = [main, '--home', home, '--json', ...args];
  const { status, stdout, stderr } = spawnSync(process.execPath, command, {
    encoding: 'utf8',
    input,
  });
  if (status !== 0) throw new Error(`vertebra ${args.join(' ')}: ${stderr}`);
  return JSON.parse(stdout);
}

/** @returns the process once its log says that it is ready, and how long that took. */
async function startAgent(home, peers) {
  const dialled = peers.flatMap((url) => ['--peer', url]);
  const command = [main, '--home', home, 'run', '--listen', 'tcp://127.0.0.1:0', ...dialled];
  const startMs = performance.now();
  const child = spawn(process.execPath, command, {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, VERTEBRA_LOG_FORMAT: 'json', VERTEBRA_LOG_LEVEL: 'info' },
  });
  const kill = () => child.kill('SIGKILL');
  process.once('exit', kill);
  child.once('exit', () => process.off('exit', kill));
  let url = null;
  for await (const line of createInterface({ input: child.stderr })) {
    const said = JSON.parse(line);
    if (said.message === 'listening') url = said.url;
    if (said.message === 'ready') {
      child.stderr.resume();
      return { home, url, child, readyMs: performance.now() - startMs };
    }
  }
  throw new Error(`an agent ended before it was ready (${child.exitCode})`);
}

async function stopAgent({ child }) {
  const exited = new Promise((done) => child.once('exit', done));
  child.kill('SIGTERM');
  await exited;
}

/** A Pact, a group of all three, and Entries that all three hold: then nothing more. */
async function work(agents, folder) {
  const [first] = agents;
  const pactFile = join(folder, 'reading.json');
  writeFileSync(pactFile, readingPact);
  const avatars = agents.map(({ home }) => vertebra(home, ['status']).avatar);
  vertebra(first.home, ['pact', 'add', pactFile]);
  vertebra(first.home, ['group', 'add', 'bench_reading', '--owner', ...avatars]);
  const entries = Array.from({ length: 1000 }, (_, index) => JSON.stringify(readingAt(index)));
  const push = ['push', 'bench_reading', '-', '--wait', 'final', '--timeout', '30'];
  strictEqual(vertebra(first.home, push, entries.join('\n')).taken, entries.length);
}

function residentMegabytes({ child }) {
  const status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
  return (Number(/VmRSS:\s+(\d+) kB/.exec(status)[1]) * 1024) / 1e6;
}

const sentBytes = ({ home }) => vertebra(home, ['status']).sentBytes;

/** What each of the agents sent in the window, the most talkative one's. */
async function sentInWindow(agents) {
  const before = agents.map(sentBytes);
  const startMs = performance.now();
  await sleep(WINDOW_MS);
  const perMinute = 60_000 / (performance.now() - startMs);
  return Math.max(...agents.map((agent, index) => (sentBytes(agent) - before[index]) * perMinute));
}

export async function run(say) {
  return withScratchFolder(async (folder) => {
    const homes = makeHomes(folder, AGENT_COUNT);
    const agents = [];
    for (const home of homes)
      agents.push(
        await startAgent(
          home,
          agents.map(({ url }) => url),
        ),
      );
    await work(agents, folder);
    say(`idle: ${SETTLE_MS / 1000} s to settle, then ${roundsOf(TRAFFIC_ROUNDS)} windows of 60 s`);
    await sleep(SETTLE_MS);
    const windows = { rounds: TRAFFIC_ROUNDS, warmUp: false, unit: 'bytes/min', better: 'lower' };
    const sent = { ours: () => sentInWindow(agents) };
    const traffic = await compare('bytes-per-minute', windows, sent);
    const rss = Math.max(...agents.map(residentMegabytes));
    for (const agent of agents) await stopAgent(agent);
    const starts = { rounds: STARTUP_ROUNDS, unit: 'ms', better: 'lower' };
    const startup = await compare('startup', starts, {
      ours: async () => {
        const agent = await startAgent(homes[0], []);
        await stopAgent(agent);
        return agent.readyMs;
      },
    });
    const memory = resultOf('rss', { unit: 'MB', better: 'lower' }, { ours: rss });
    return [memory, startup, traffic];
  });
}
