import type { StatusReport } from '../../participant/face.ts';

/** What the demo shows of one Participant; `status` is null while it is down. */
export interface Shown {
  readonly name: string;
  readonly status: StatusReport | null;
}

/** The latest Entry of a kind, in words. */
export interface Reading {
  readonly pact: string;
  readonly text: string;
}

export interface ScreenView {
  readonly secondsUp: number;
  readonly secondsLeft: number | null;
  readonly folder: string;
  readonly participants: readonly Shown[];
  readonly wires: readonly { readonly kind: string; readonly isWhole: boolean }[];
  /** Finalized Entries a second over the last seconds, at the first Participant that is up. */
  readonly entriesPerSecond: number;
  readonly readings: readonly Reading[];
}

const BOLD = '\u001b[1m';
const DIM = '\u001b[2m';
const GREEN = '\u001b[32m';
const RED = '\u001b[31m';
const PLAIN = '\u001b[0m';
const HOME_AND_CLEAR = '\u001b[H\u001b[J';

/** From a blank screen, everything that the live view shows. */
export function drawScreen(view: ScreenView): string {
  const left = view.secondsLeft === null ? '' : `, ${Math.ceil(view.secondsLeft)} s left`;
  const lines = [
    `${BOLD}vertebra demo${PLAIN}  three Participants, one World, ` +
      `${Math.floor(view.secondsUp)} s up${left}`,
    '',
    ...view.participants.map((each, index) => drawParticipant(each, index + 1, view.participants)),
    '',
    drawAgreement(view),
    `  wires      ${view.wires.map(drawWire).join('  ')}`,
    '',
    `${BOLD}latest readings${PLAIN}`,
    ...view.readings.map((each) => `  ${each.pact.padEnd(20)} ${each.text}`),
    '',
    `${DIM}1 2 3: kill or start a Participant   t m s: cut or mend the TCP, MQTT, serial wire   ` +
      `q or Ctrl-C: end${PLAIN}`,
    `${DIM}databases: ${view.folder}${PLAIN}`,
  ];
  return `${HOME_AND_CLEAR}${lines.join('\r\n')}\r\n`;
}

function drawParticipant(each: Shown, key: number, all: readonly Shown[]): string {
  const head = `  ${key}  ${each.name.padEnd(6)}`;
  if (each.status === null) return `${head} ${RED}down${PLAIN}`;
  const { status } = each;
  const others = all.filter((other) => other.name !== each.name);
  const links = others.map((other) => {
    const peer = status.peers.find(
      ({ state, name }) => state === 'connected' && name === other.name,
    );
    const how = peer === undefined ? '' : ` ${DIM}${peer.kind}${PLAIN}`;
    return `${peer === undefined ? `${RED}○` : `${GREEN}●`} ${other.name}${PLAIN}${how}`;
  });
  const shared = status.groups.filter((group) => group.owners.length > 1);
  const sequence = shared.reduce((sum, group) => sum + group.lastSequence, 0);
  // Somebody is awaited for a moment in every agreement; worth a word is who is not there.
  const linked = new Set(
    status.peers.flatMap((peer) => (peer.state === 'connected' ? [peer.name] : [])),
  );
  const awaited = [...new Set(shared.flatMap((group) => group.awaited))].filter(
    (name) => name !== each.name && !linked.has(name),
  );
  const waiting = awaited.length === 0 ? '' : `  ${DIM}awaits ${awaited.join(', ')}${PLAIN}`;
  return (
    `${head} ${GREEN}up${PLAIN}   ${links.join('  ')}   ` +
    `${String(sequence).padStart(7)} Entries final  ${formatBytes(status.sentBytes)} sent${waiting}`
  );
}

function drawWire({ kind, isWhole }: ScreenView['wires'][number]): string {
  return isWhole ? `${GREEN}${kind}${PLAIN}` : `${RED}${kind} cut${PLAIN}`;
}

function drawAgreement(view: ScreenView): string {
  const up = view.participants.flatMap((each) => (each.status === null ? [] : [each.status]));
  const generation = Math.max(
    -1,
    ...up.flatMap((status) => status.groups.map((group) => group.highestFinalizable)),
  );
  const times = up.flatMap((status) => (status.finalityMs === null ? [] : [status.finalityMs]));
  const p50 = median(times.map((each) => each.p50));
  const p99 = Math.max(0, ...times.map((each) => each.p99));
  const latency =
    times.length === 0 ? 'none yet' : `p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms`;
  return (
    `  Generation ${BOLD}${generation}${PLAIN}   ` +
    `${BOLD}${view.entriesPerSecond.toFixed(1)}${PLAIN} Entries/s final   finality ${latency}`
  );
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}

export function formatBytes(count: number): string {
  if (count < 10_000) return `${count} B`;
  if (count < 10_000_000) return `${(count / 1000).toFixed(0)} kB`;
  return `${(count / 1_000_000).toFixed(1)} MB`;
}
