// Loaded into a process before all else (`node --import`): its wall clock is off by as many
// milliseconds as the file E2E_CLOCK_FILE says. The monotonic clock, by which timers go, is not.
import { readFileSync } from 'node:fs';

const RealDate = Date;
const REREAD_MS = 10;
let shiftMs = 0;
let readAtMs = Number.NEGATIVE_INFINITY;

function shift() {
  if (performance.now() - readAtMs > REREAD_MS) {
    readAtMs = performance.now();
    shiftMs = Number(readFileSync(process.env.E2E_CLOCK_FILE, 'utf8'));
  }
  return shiftMs;
}

globalThis.Date = class extends RealDate {
  constructor(...args) {
    if (args.length === 0) super(RealDate.now() + shift());
    else super(...args);
  }

  static now() {
    return RealDate.now() + shift();
  }
};
