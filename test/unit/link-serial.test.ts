import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { need } from '../../.ci/debian.mjs';
import { type CableOptions, type LaidCable, layCable, spoiler } from '../../bench/serial-cable.mjs';
import type { GossipHandler } from '../../src/gossip/contract.ts';
import { SerialTransport } from '../../src/gossip/links/serial.ts';
import { serialErrorOf } from '../../src/gossip/links/serial-port.ts';
import { Mesh } from '../../src/gossip/mesh.ts';
import { loadKernel } from '../../src/kernel/kernel.ts';
import { fromHex } from '../../src/model/bytes.ts';
import type { Timers } from '../../src/ports/clock.ts';
import { LinkError, type Listening } from '../../src/ports/link.ts';
import { describeLinks, Ear } from '../contract/link.ts';
import { Holder } from './gossip-holder.ts';
import { hash, idOf } from './gossip-samples.ts';
import { PlainSessions } from './gossip-sessions.ts';
import { SeededRandom } from './gossip-stage.ts';

/** The machine's own time: devices are real here, but for the wire between them. */
const TIMERS: Timers = {
  monotonicMs: () => performance.now(),
  wallMs: () => Date.now(),
  after: (delayMs, wake) => {
    const timer = setTimeout(wake, delayMs);
    return () => clearTimeout(timer);
  },
};

const { checksum } = loadKernel();
const random = { bytes: (count: number) => randomBytes(count), fraction: Math.random };
const { socat } = await need(['socat']);
const folder = mkdtempSync(join(tmpdir(), 'vertebra-serial-'));
const NEVER = new AbortController().signal;
const BAUD = 4_000_000;

const makeTransport = (): SerialTransport =>
  new SerialTransport({ timers: TIMERS, random, checksum });
const urlOf = (path: string, baud = BAUD): string => `serial://${path}?baud=${baud}`;

const shared = await layCable({ socat, folder });

afterAll(async () => {
  await shared.close();
  rmSync(folder, { recursive: true, force: true });
});

describeLinks({
  name: 'serial',
  makeTransport,
  freeUrl: () => urlOf(shared.far),
  dialUrl: () => urlOf(shared.near),
  deadUrl: async () => urlOf(join(folder, 'nothing')),
  deadCode: 'LINK_UNREACHABLE',
  brokenUrls: [
    'serial://',
    'serial://host/dev/ttyUSB0',
    'serial:///dev/tty%20USB0',
    'serial:///dev/ttyUSB0?baud=fast',
    'serial:///dev/ttyUSB0?baud=299',
    'serial:///dev/ttyUSB0?baud=4000001',
    'serial:///dev/ttyUSB0?baud=9600&baud=9600',
    'serial:///dev/ttyUSB0?parity=even',
    'serial:///dev/ttyUSB0?rtscts=yes',
    'serial:///dev/ttyUSB0#here',
    'tcp://127.0.0.1:7411',
    'nonsense',
  ],
});

describe('a serial cable', () => {
  const open: (Listening | LaidCable)[] = [];

  afterEach(async () => {
    for (const each of open.splice(0).reverse()) await each.close();
  });

  async function lay(options: Partial<CableOptions> = {}): Promise<LaidCable> {
    const cable = await layCable({
      socat,
      folder: mkdtempSync(join(folder, 'cable-')),
      ...options,
    });
    open.push(cable);
    return cable;
  }

  /** Listens, as an agent does at a device that it was told to dial. */
  async function station(path: string, baud = BAUD) {
    const ears: Ear[] = [];
    const errors: LinkError[] = [];
    let look: () => void = () => undefined;
    const transport = new SerialTransport({
      timers: TIMERS,
      random,
      checksum,
      onTrouble: (_url, error) => {
        errors.push(error);
        look();
      },
    });
    const listening = await transport.listen(urlOf(path, baud), (link) => {
      ears.push(new Ear(link));
      look();
    });
    open.push(listening);
    const until = (holds: () => boolean) =>
      new Promise<void>((done) => {
        look = () => {
          if (holds()) done();
        };
        look();
      });
    return { ears, errors, listening, until };
  }

  it('has two ends that are alike, and one of them begins', async () => {
    const cable = await lay();
    const near = await station(cable.near);
    const far = await station(cable.far);
    expect(near.listening.trouble).toMatch(/answered/);
    await Promise.all([
      near.until(() => near.ears.length > 0),
      far.until(() => far.ears.length > 0),
    ]);
    expect(near.ears[0]?.link.begins).toBe(!far.ears[0]?.link.begins);
    expect(near.listening.trouble).toBe(null);
    expect(near.ears[0]?.link.bytesPerSecond).toBe(400_000);
  });

  it('takes up again after a link that was given up', async () => {
    const cable = await lay();
    const near = await station(cable.near);
    const far = await station(cable.far);
    for (let count = 1; count <= 3; count++) {
      await Promise.all([
        near.until(() => near.ears.length === count),
        far.until(() => far.ears.length === count),
      ]);
      near.ears[count - 1]?.link.close(new LinkError('LINK_TIMEOUT', 'enough'));
      await far.ears[count - 1]?.closed();
    }
    expect(far.ears.slice(0, 3).map(({ closes }) => closes.map((each) => each?.code))).toEqual([
      ['LINK_RESET'],
      ['LINK_RESET'],
      ['LINK_RESET'],
    ]);
  });

  it('loses nothing of what a slow wire spoils', async () => {
    const seeded = new SeededRandom(11);
    const damage = spoiler(0.05, () => seeded.fraction());
    const cable = await lay({ bytesPerSecond: 92_160, damage });
    const near = await station(cable.near, 921_600);
    const far = await station(cable.far, 921_600);
    await Promise.all([
      near.until(() => near.ears.length > 0),
      far.until(() => far.ears.length > 0),
    ]);
    const from = near.ears[0] as Ear;
    const to = far.ears[0] as Ear;
    const sent = Array.from({ length: 60 }, (_, seed) => randomBytes(1_000 + seed));
    for (const frame of sent) {
      const { drains } = from;
      if (!from.link.send(frame)) await from.until(() => from.drains > drains);
    }
    await to.frameCount(sent.length);
    expect(to.frames.map((each) => Buffer.from(each).toString('hex'))).toEqual(
      sent.map((each) => each.toString('hex')),
    );
    expect(to.link.repairs?.broken).toBeGreaterThan(0);
    expect(from.link.repairs?.repeated).toBeGreaterThan(0);
  });

  it('goes on with the same devices when they were unplugged and are back', async () => {
    const at = mkdtempSync(join(folder, 'cable-'));
    const first = await layCable({ socat, folder: at });
    const near = await station(first.near);
    const far = await station(first.far);
    await Promise.all([
      near.until(() => near.ears.length > 0),
      far.until(() => far.ears.length > 0),
    ]);
    await first.close();
    await Promise.all([near.ears[0]?.closed(), far.ears[0]?.closed()]);
    expect(near.ears[0]?.closes.map((each) => each?.code)).toEqual(['LINK_RESET']);
    await near.until(() => near.errors.some(({ code }) => code === 'LINK_UNREACHABLE'));
    expect(near.listening.trouble).toMatch(/no such device/);
    await lay({ folder: at });
    await Promise.all([
      near.until(() => near.ears.length === 2),
      far.until(() => far.ears.length === 2),
    ]);
    const again = near.ears[1] as Ear;
    again.link.send(Uint8Array.of(1, 2, 3));
    await far.ears[1]?.frameCount(1);
    expect(far.ears[1]?.frames).toEqual([Uint8Array.of(1, 2, 3)]);
  });

  it('says which of two programs has a device, and what else is wrong with one', async () => {
    const cable = await lay();
    const first = await station(cable.near);
    const second = await station(cable.near);
    await Promise.race([
      first.until(() => first.errors.length > 0),
      second.until(() => second.errors.length > 0),
    ]);
    const [error] = [...first.errors, ...second.errors];
    expect(error?.code).toBe('LINK_IN_USE');
    await expect(makeTransport().dial(urlOf(join(folder)), NEVER)).rejects.toBeInstanceOf(
      LinkError,
    );
  });

  it.each([
    ['Error: No such file or directory, cannot open /dev/x', 'LINK_UNREACHABLE', /plugged/],
    ['Error: Permission denied, cannot open /dev/x', 'LINK_DENIED', /dialout/],
    ['Error Resource temporarily unavailable Cannot lock port', 'LINK_IN_USE', /another program/],
    ['Error: Inappropriate ioctl for device, cannot open', 'LINK_UNREACHABLE', /no serial device/],
    ['Error: Invalid argument setting custom baud rate of 7', 'LINK_UNREACHABLE', /settings/],
    ['something else', 'LINK_RESET', /something else/],
  ])('turns %s into %s', (message, code, words) => {
    const error = serialErrorOf(new Error(message), '/dev/x');
    expect(error.code).toBe(code);
    expect(error.message).toMatch(words);
  });

  it('carries the sessions of two Participants that both dial their device', async () => {
    const cable = await lay();
    const met: Promise<string>[] = [];
    for (const [seed, path] of [cable.near, cable.far].entries()) {
      const id = idOf(path);
      const holder = new Holder(id);
      const { handler, up } = handlerOf(holder);
      const mesh = new Mesh({
        self: id,
        sessions: new PlainSessions(fromHex(id)),
        transports: [makeTransport()],
        timers: TIMERS,
        random: new SeededRandom(seed),
        hash,
        source: holder,
        handler,
        log: () => undefined,
      });
      holder.mesh = mesh;
      mesh.dial(urlOf(path));
      open.push({ url: path, close: () => mesh.close() });
      met.push(up);
    }
    expect(await Promise.all(met)).toEqual([idOf(cable.far), idOf(cable.near)]);
  });
});

function handlerOf(holder: Holder) {
  let met: (peer: string) => void = () => undefined;
  const up = new Promise<string>((done) => {
    met = done;
  });
  const handler: GossipHandler = {
    onItems: (deliveries) => holder.onItems(deliveries),
    onBallots: (from, ballots) => holder.onBallots(from, ballots),
    onPeer: (event) => {
      if (event.kind === 'up') met(event.peer);
    },
  };
  return { handler, up };
}
