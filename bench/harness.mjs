// What all benchmarks share: interleaved rounds, medians, ratios, the machine, and the report.
import { cpus, release, totalmem } from 'node:os';

/**
 * One way to do the work of a case.
 *
 * @typedef {() => number | Promise<number>} Subject measures once; @returns a figure in the unit
 *   of the case.
 */

/**
 * What a benchmark reports of one case. A ratio above 1 says that ours is better.
 *
 * @typedef {{
 *   case: string, ours: number, unit: string,
 *   peers: Record<string, number>, ratios: Record<string, number>
 * }} Result
 */

/** The middle one, or the mean of the middle two. */
export function median(figures) {
  const sorted = [...figures].sort((a, b) => a - b);
  const middle = sorted.length >>> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** The smallest figure that at least `share` (0 to 1) of the figures do not exceed. */
export function quantile(figures, share) {
  const sorted = [...figures].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)];
}

/** How much of the time to spend: `quick` is for looking whether a benchmark runs at all. */
export function roundsOf(rounds) {
  return process.env.BENCH_QUICK === '1' ? 1 : rounds;
}

/**
 * Measures every subject once a round, each round beginning with another one, so that a machine
 * that slows down or is busy for a while does so to all alike.
 *
 * @param {{ rounds: number, warmUp?: boolean }} plan By default a round before the first is
 * dropped.
 * @param {Record<string, Subject>} subjects
 * @returns {Promise<Record<string, number[]>>} the figures of each subject, round after round.
 */
export async function interleave({ rounds, warmUp = true }, subjects) {
  const names = Object.keys(subjects);
  const figures = Object.fromEntries(names.map((name) => [name, []]));
  for (let round = warmUp ? 0 : 1; round <= roundsOf(rounds); round++) {
    for (let turn = 0; turn < names.length; turn++) {
      const name = names[(round + turn) % names.length];
      const figure = await subjects[name]();
      if (round > 0) figures[name].push(figure);
    }
  }
  return figures;
}

/** Calls `work` until `leastMs` have gone by. @returns units of work a second. */
export function rateOf(work, unitsPerCall, leastMs = 150) {
  const start = performance.now();
  let calls = 0;
  let spentMs = 0;
  do {
    work();
    calls++;
    spentMs = performance.now() - start;
  } while (spentMs < leastMs);
  return (calls * unitsPerCall * 1000) / spentMs;
}

function round(figure) {
  return Number(figure.toPrecision(4));
}

/**
 * Puts the figures of one case together.
 *
 * @param {'higher' | 'lower'} better which figures are the good ones.
 * @param {Record<string, number>} figures one for each subject; `ours` among them.
 * @returns {Result}
 */
export function resultOf(name, { unit, better }, figures) {
  const { ours, ...others } = figures;
  const peers = Object.entries(others);
  const ratio = (peer) => (better === 'higher' ? ours / peer : peer / ours);
  return {
    case: name,
    ours: round(ours),
    unit,
    peers: Object.fromEntries(peers.map(([peer, figure]) => [peer, round(figure)])),
    ratios: Object.fromEntries(peers.map(([peer, figure]) => [peer, round(ratio(figure))])),
  };
}

/** Interleaves the subjects and takes the median of each. @returns {Promise<Result>} */
export async function compare(name, measure, subjects) {
  const figures = await interleave(measure, subjects);
  const medians = Object.entries(figures).map(([subject, list]) => [subject, median(list)]);
  return resultOf(name, measure, Object.fromEntries(medians));
}

/** What the figures depend on. */
export function machine() {
  const [first] = cpus();
  return {
    cpu: first?.model.trim() ?? 'unknown',
    cores: cpus().length,
    memoryMiB: Math.round(totalmem() / 2 ** 20),
    arch: process.arch,
    kernel: `${process.platform} ${release()}`,
    node: process.versions.node,
  };
}

const shown = (figure) => figure.toLocaleString('en-GB', { maximumSignificantDigits: 4 });

/** A table for people. @param {readonly Result[]} results */
export function tableOf(results) {
  const rows = [['case', 'ours', 'unit', 'peer', "peer's", 'ratio']];
  for (const result of results) {
    const names = Object.keys(result.peers);
    const head = [result.case, shown(result.ours), result.unit];
    if (names.length === 0) rows.push([...head, '', '', '']);
    for (const [index, name] of names.entries()) {
      const figures = [shown(result.peers[name]), result.ratios[name].toFixed(2)];
      rows.push([...(index === 0 ? head : ['', '', '']), name, ...figures]);
    }
  }
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  const isFigure = (column) => [1, 4, 5].includes(column);
  const line = (row) =>
    row
      .map((cell, column) =>
        isFigure(column) ? cell.padStart(widths[column]) : cell.padEnd(widths[column]),
      )
      .join('  ')
      .trimEnd();
  return rows.map(line).join('\n');
}
