/**
 * Chance that is none: the same numbers from the same seed, on every processor. The prelude of
 * JavaScript has the same one.
 *
 * @source PractRand, sfc32 by Chris Doty-Humphrey (public domain).
 */
export function chanceOf(seed: readonly number[]): () => number {
  let [a = 0, b = 0, c = 0, d = 0] = seed.map((word) => word | 0);
  const next = () => {
    const sum = (a + b + d) | 0;
    d = (d + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + sum) | 0;
    return (sum >>> 0) / 0x1_0000_0000;
  };
  for (let turn = 0; turn < 12; turn++) next();
  return next;
}
