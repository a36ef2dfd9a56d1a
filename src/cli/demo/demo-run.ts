import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Comparison } from '../../participant/comparison.ts';
import type { StatusReport } from '../../participant/face.ts';
import type { WireKind } from './demo-network.ts';
import { sleep } from './demo-participant.ts';
import { DemoWorld } from './demo-world.ts';
import { readReadings } from './readings.ts';
import { drawScreen, median } from './screen.ts';

export interface DemoOptions {
  /** Null runs until somebody ends it. */
  readonly seconds: number | null;
  /** Prints one JSON object at the end instead of the live view. */
  readonly json: boolean;
  readonly sensorsMs: number;
  /** Where to keep the homes; null: a temporary folder that goes when all agree. */
  readonly folder: string | null;
}

/** What the last line of `--json` says. */
export interface DemoResult {
  readonly participants: number;
  readonly agree: boolean;
  readonly finalizedEntries: number;
  readonly generations: number;
  readonly finalityMs: { readonly p50: number; readonly p99: number };
  /** Pairs of Participants that are linked, by kind of link. */
  readonly links: Readonly<Partial<Record<WireKind, number>>>;
  /** Frames that links of each kind carried, at both ends. */
  readonly frames: Readonly<Partial<Record<WireKind, number>>>;
}

const FRAME_MS = 500;
const RATE_FRAMES = 10;
const CTRL_C = '\u0003';

/** Keys of the live view that pull a wire out, or put it back. */
const WIRE_KEYS: Readonly<Record<string, WireKind>> = { t: 'tcp', m: 'mqtt', s: 'serial' };

/** The demo from start to end. @returns whether the three databases agree. */
export class DemoRun {
  private readonly options: DemoOptions;
  private readonly ending = new AbortController();
  private readonly startedAtMs = performance.now();
  private world: DemoWorld | null = null;
  private lastStatuses: readonly StatusReport[] = [];
  private readonly finals: number[] = [];

  constructor(options: DemoOptions) {
    this.options = options;
  }

  /** Ends it as soon as everybody agrees. */
  end(): void {
    this.ending.abort();
  }

  async run(): Promise<boolean> {
    const folder = this.options.folder ?? mkdtempSync(join(tmpdir(), 'vertebra-demo-'));
    const world = await DemoWorld.make(folder, this.options.sensorsMs);
    this.world = world;
    try {
      this.say('starting three Participants...');
      await world.start();
      await this.watch(world);
      this.leaveScreen();
      this.say('waiting until all three have everything, then comparing...');
      const before = (await world.statuses()).filter((each) => each !== null);
      if (before.length > 0) this.lastStatuses = before;
      const comparison = await world.end();
      this.report(world, comparison);
      if (comparison.agree && this.options.folder === null) rmSync(folder, { recursive: true });
      return comparison.agree;
    } finally {
      this.leaveScreen();
      await world.stop();
    }
  }

  private async watch(world: DemoWorld): Promise<void> {
    const untilMs =
      this.options.seconds === null
        ? Number.POSITIVE_INFINITY
        : performance.now() + this.options.seconds * 1000;
    const leave = this.listenToKeys(world);
    const ended = aborted(this.ending.signal);
    while (!this.ending.signal.aborted && performance.now() < untilMs) {
      const statuses = await world.statuses();
      const up = statuses.filter((each) => each !== null);
      if (up.length > 0) this.lastStatuses = up;
      if (!this.options.json) this.draw(world, statuses, untilMs);
      const pause = Math.min(FRAME_MS, Math.max(0, untilMs - performance.now()));
      await Promise.race([sleep(pause), ended]);
    }
    leave();
  }

  private draw(
    world: DemoWorld,
    statuses: readonly (StatusReport | null)[],
    untilMs: number,
  ): void {
    const first = statuses.find((each) => each !== null);
    if (first !== undefined && first !== null) {
      this.finals.push(first.groups.reduce((sum, group) => sum + group.lastSequence, 0));
      if (this.finals.length > RATE_FRAMES) this.finals.shift();
    }
    const span = ((this.finals.length - 1) * FRAME_MS) / 1000;
    const gained = (this.finals.at(-1) ?? 0) - (this.finals[0] ?? 0);
    const source = world.participants.find((each) => each.isUp) ?? world.participants[0]!;
    const screen = drawScreen({
      secondsUp: (performance.now() - this.startedAtMs) / 1000,
      secondsLeft: Number.isFinite(untilMs) ? (untilMs - performance.now()) / 1000 : null,
      folder: world.folder,
      participants: world.participants.map((each, index) => ({
        name: each.place.name,
        status: statuses[index] ?? null,
      })),
      wires: [...world.network.wires].map(([kind, { isWhole }]) => ({ kind, isWhole })),
      entriesPerSecond: span > 0 ? Math.max(0, gained / span) : 0,
      readings: readReadings(source.world.databaseFile),
    });
    process.stdout.write(screen);
  }

  /** Keys of the live view. @returns how to stop listening. */
  private listenToKeys(world: DemoWorld): () => void {
    const { stdin } = process;
    if (this.options.json || !stdin.isTTY) return () => undefined;
    const onKey = (key: Buffer) => {
      const text = key.toString();
      if (text === 'q' || text === CTRL_C) this.end();
      const wire = WIRE_KEYS[text];
      if (wire !== undefined) void world.network.toggle(wire);
      const chosen = world.participants[Number(text) - 1];
      if (chosen === undefined) return;
      if (chosen.isUp) void chosen.kill();
      else chosen.start();
    };
    stdin.setRawMode(true);
    stdin.resume();
    stdin.on('data', onKey);
    return () => {
      stdin.off('data', onKey);
      stdin.setRawMode(false);
      stdin.pause();
    };
  }

  private leaveScreen(): void {
    if (process.stdin.isTTY && process.stdin.isRaw) process.stdin.setRawMode(false);
  }

  private say(text: string): void {
    process.stderr.write(`${text}\n`);
  }

  private report(world: DemoWorld, comparison: Comparison): void {
    const result = this.resultOf(world, comparison);
    if (!comparison.agree) {
      const differences = comparison.differences.join('; ') || 'everything';
      this.say(`The databases differ in: ${differences}. They were kept in ${world.folder}`);
    }
    if (this.options.json) {
      process.stdout.write(`${JSON.stringify(result)}\n`);
      return;
    }
    if (!comparison.agree) return;
    const { p50, p99 } = result.finalityMs;
    process.stdout.write(
      `All three databases hold the same: ${result.finalizedEntries} Finalized Entries, ` +
        `${result.generations} Generations, finality p50 ${p50} ms, p99 ${p99} ms.\n`,
    );
  }

  private resultOf(world: DemoWorld, comparison: Comparison): DemoResult {
    const times = this.lastStatuses.flatMap((each) =>
      each.finalityMs === null ? [] : [each.finalityMs],
    );
    return {
      participants: world.participants.length,
      agree: comparison.agree,
      finalizedEntries: comparison.entries,
      generations: comparison.generations,
      finalityMs: {
        p50: median(times.map((each) => each.p50)),
        p99: Math.max(0, ...times.map((each) => each.p99)),
      },
      ...this.linksOf(world),
    };
  }

  private linksOf(world: DemoWorld): Pick<DemoResult, 'links' | 'frames'> {
    const links: Partial<Record<WireKind, number>> = {};
    const frames: Partial<Record<WireKind, number>> = {};
    for (const kind of world.network.wires.keys()) {
      const ends = this.lastStatuses.flatMap(({ peers }) =>
        peers.filter((peer) => peer.kind === kind && peer.state === 'connected'),
      );
      // Each link is seen from both of its ends.
      links[kind] = Math.ceil(ends.length / 2);
      frames[kind] = this.lastStatuses.reduce(
        (sum, { framesByKind }) => sum + (framesByKind[kind] ?? 0),
        0,
      );
    }
    return { links, frames };
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
