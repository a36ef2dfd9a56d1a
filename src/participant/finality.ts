/** The last times from an own Entry to its finality, in milliseconds; a bounded sample. */
export class FinalityTimes {
  private readonly samples: Float64Array;
  private count = 0;

  constructor(samplesMax = 4096) {
    this.samples = new Float64Array(samplesMax);
  }

  observe(ms: number): void {
    this.samples[this.count % this.samples.length] = ms;
    this.count++;
  }

  report(): { readonly p50: number; readonly p99: number; readonly count: number } | null {
    if (this.count === 0) return null;
    const sorted = this.samples.slice(0, Math.min(this.count, this.samples.length)).sort();
    const at = (share: number) =>
      sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)]!;
    const round = (ms: number) => Math.round(ms * 1000) / 1000;
    return { p50: round(at(0.5)), p99: round(at(0.99)), count: this.count };
  }
}
