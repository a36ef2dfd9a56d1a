// A serial line of 115,200 baud: two PTYs, and between them a wire that carries 11,520 bytes a
// second and no more. Ours above it: the real line protocol, sessions and gossip.
import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { need } from '../.ci/debian.mjs';
import { SerialTransport } from '../build/gossip/links/serial.js';
import { Mesh } from '../build/gossip/mesh.js';
import { deriveAvatar } from '../build/identity/avatar.js';
import { Secret } from '../build/identity/secret.js';
import { NoiseSessionFactory } from '../build/identity/session-factory.js';
import { Ed25519Verifier } from '../build/identity/verifier.js';
import { deriveWorld } from '../build/identity/world.js';
import { loadKernel } from '../build/kernel/kernel.js';
import { sealBlock } from '../build/model/block.js';
import { toHex32 } from '../build/model/bytes.js';
import { sealCertificate } from '../build/model/certificate.js';
import { quantile, resultOf } from './harness.mjs';
import { MACHINE_PACTS, machinePact, machineReadings } from './machine-readings.mjs';
import { makeHomes, openHome } from './own-home.mjs';
import { withScratchFolder } from './scratch-folder.mjs';
import { layCable, spoiler } from './serial-cable.mjs';

const BAUD = 115_200;
const BYTES_PER_SECOND = BAUD / 10;
const isQuick = process.env.BENCH_QUICK === '1';
const SECONDS = isQuick ? 15 : 60;
const SETTLE_MS = 3_000;
const BLOCK_BYTES = 16 * 1024;
/** Kept waiting, so that the line never lacks bulk. */
const BLOCKS_AHEAD = 4;
const CERTIFICATE_EVERY_MS = 250;
/** Five Entries each. */
const SENSOR_SECONDS = isQuick ? 200 : 1_000;

const kernel = loadKernel();
const random = { bytes: (count) => randomBytes(count), fraction: Math.random };
const timers = {
  monotonicMs: () => performance.now(),
  wallMs: Date.now,
  after(delayMs, wake) {
    const timer = setTimeout(wake, delayMs);
    return () => clearTimeout(timer);
  },
};
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const hash = (bytes) => new Uint8Array(createHash('sha256').update(bytes).digest());
const idOf = (name) => toHex32(hash(Buffer.from(name)));
const urlOf = (path) => `serial://${path}?baud=${BAUD}`;

/** Holds nothing: all that is measured is what is sent. */
const emptySource = {
  digest: () => [],
  wants: () => false,
  wantsChain: () => false,
  beginning: () => null,
  block: () => null,
  payload: () => null,
  metablock: () => null,
  certificates: () => [],
  chain: () => [],
  open: () => [],
  wantsForks: () => false,
  forks: () => [],
  causal: () => [],
};

function blockAt(sequence) {
  const payload = randomBytes(BLOCK_BYTES);
  const header = {
    group: idOf('group'),
    issuer: idOf('issuer'),
    sequence,
    previous: sequence === 1 ? null : idOf(`block ${sequence - 1}`),
    dependencies: [],
    entryCount: 1,
    byteLength: payload.length,
    merkleRoot: hash(payload),
    atMs: 1,
  };
  const block = sealBlock(hash, header, randomBytes(64));
  return { kind: 'block', block, payload: Uint8Array.from(payload) };
}

function certificateAt(index) {
  const entries = [{ group: idOf('group'), ballot: index + 1 }];
  const body = { metablock: idOf(`metablock ${index}`), certifier: idOf('certifier'), entries };
  return { kind: 'certificate', certificate: sealCertificate(body, randomBytes(64)) };
}

/** One end: gossip over a device. @returns the mesh, and a promise of the other end. */
function openEnd(seed, path, onItem) {
  const world = new Secret(new Uint8Array(32).fill(1));
  const avatar = deriveAvatar(new Secret(new Uint8Array(32).fill(seed)), world);
  let met;
  const up = new Promise((done) => {
    met = done;
  });
  const mesh = new Mesh({
    self: toHex32(avatar.id),
    sessions: new NoiseSessionFactory({
      avatar,
      world: deriveWorld(world),
      verifier: new Ed25519Verifier(),
      hello: () => new Uint8Array(0),
    }),
    transports: [new SerialTransport({ timers, random, checksum: kernel.checksum })],
    timers,
    random,
    hash,
    source: emptySource,
    handler: {
      onItems: (deliveries) => {
        for (const { item } of deliveries) onItem(item);
      },
      onBallots: () => undefined,
      onPeer: (event) => {
        if (event.kind === 'up') met();
      },
    },
    log: () => undefined,
  });
  mesh.dial(urlOf(path));
  return { mesh, up };
}

async function withCable(folder, options, work) {
  const at = join(folder, `cable-${performance.now()}`);
  mkdirSync(at);
  const { socat } = await need(['socat']);
  const cable = await layCable({
    socat,
    folder: at,
    bytesPerSecond: BYTES_PER_SECOND,
    ...options,
  });
  try {
    return await work(cable);
  } finally {
    await cable.close();
  }
}

/** Bulk from near to far. @returns Block bytes a second, and how long each Certificate took. */
function measureBulk(folder, { damage, withCertificates = false }) {
  return withCable(folder, damage === undefined ? {} : { damage }, async (cable) => {
    const sentMs = new Map();
    const delays = [];
    const arrivedMs = [];
    let made = 0;
    const near = openEnd(2, cable.near, () => undefined);
    const more = () => {
      for (; made < arrivedMs.length + BLOCKS_AHEAD; made++) near.mesh.broadcast(blockAt(made + 1));
    };
    const far = openEnd(3, cable.far, (item) => {
      if (item.kind === 'block') {
        arrivedMs.push(performance.now());
        more();
        return;
      }
      const { ballot } = item.certificate.entries[0];
      delays.push(performance.now() - sentMs.get(ballot));
    });
    await Promise.all([near.up, far.up]);
    more();
    await pause(SETTLE_MS);
    const first = arrivedMs.length;
    const startMs = performance.now();
    for (let index = 0; performance.now() - startMs < SECONDS * 1_000; index++) {
      await pause(CERTIFICATE_EVERY_MS * (0.5 + Math.random()));
      if (!withCertificates) continue;
      sentMs.set(index + 1, performance.now());
      near.mesh.broadcast(certificateAt(index));
    }
    // From one arrival to another: a Block takes longer than a second.
    const spentMs = arrivedMs.at(-1) - arrivedMs[first];
    const perSecond = ((arrivedMs.length - 1 - first) * BLOCK_BYTES * 1_000) / spentMs;
    await Promise.all([near.mesh.close(), far.mesh.close()]);
    return { perSecond, delays };
  });
}

/** Makes a Participant issue what the demo's sensors read in so many seconds. */
async function issueReadings(participant) {
  const channels = new Map();
  for (const pact of MACHINE_PACTS) {
    await participant.addPact(machinePact(pact));
    await participant.addGroup(pact, ['self']);
    channels.set(pact, participant.channel(pact));
  }
  const readings = machineReadings();
  for (let second = 0; second < SENSOR_SECONDS; second++) {
    const { value } = readings.next();
    for (const [pact, channel] of channels) await channel.push([value[pact]]);
  }
  for (const channel of channels.values()) await channel.finalized();
}

/** Waits until every Entry of a channel is final. @param onEntry Called at each. */
async function followAll(channel, onEntry) {
  for await (const { sequence } of channel.follow(1, new AbortController().signal)) {
    onEntry();
    if (sequence >= SENSOR_SECONDS) return;
  }
}

/**
 * Final Entries a second at a Participant that catches up over the line.
 * @param {string} more What the URL says beside the rate, at both ends.
 */
function measureEntries(folder, more = '') {
  return withCable(folder, {}, async (cable) => {
    const at = join(folder, `homes-${performance.now()}`);
    mkdirSync(at);
    const [nearHome, farHome] = makeHomes(at, 2);
    const listen = (path) => ({ listen: [`${urlOf(path)}${more}`] });
    const near = await openHome(nearHome, { ...listen(cable.near), blockEntriesMax: 100 });
    await issueReadings(near);
    const far = await openHome(farHome, listen(cable.far));
    while (far.groups().filter(isSensorGroup).length < MACHINE_PACTS.length) await pause(5);
    let startMs = null;
    let endMs = 0;
    let count = 0;
    const onEntry = () => {
      endMs = performance.now();
      startMs ??= endMs;
      count += 1;
    };
    const groups = far.groups().filter(isSensorGroup);
    await Promise.all(groups.map(({ id }) => followAll(far.channel(id), onEntry)));
    await Promise.all([near.close(), far.close()]);
    return ((count - 1) * 1_000) / (endMs - startMs);
  });
}

const isSensorGroup = ({ pact }) => MACHINE_PACTS.includes(pact);

export async function run(say) {
  return withScratchFolder(async (folder) => {
    const bytes = { unit: 'Block bytes/s', better: 'higher' };
    say(`serial: ${SECONDS} s each at ${BAUD} baud`);
    const clean = await measureBulk(folder, {});
    const spoilt = await measureBulk(folder, { damage: spoiler(0.01, Math.random) });
    const busy = await measureBulk(folder, { withCertificates: true });
    const entries = await measureEntries(folder);
    const compressed = await measureEntries(folder, '&compress=1');
    const entriesUnit = { unit: 'Entries/s', better: 'higher' };
    const wire = { wire: BYTES_PER_SECOND };
    const p99 = quantile(busy.delays, 0.99);
    return [
      resultOf('clean-115200', bytes, { ours: clean.perSecond, ...wire }),
      resultOf('errors-1pct-115200', bytes, { ours: spoilt.perSecond, ...wire }),
      resultOf('certificate-during-bulk', { unit: 'ms p99', better: 'lower' }, { ours: p99 }),
      resultOf('entries-115200', entriesUnit, { ours: entries }),
      resultOf('entries-115200-compressed', entriesUnit, { ours: compressed }),
    ];
  });
}
