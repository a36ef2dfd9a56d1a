import type { Retention } from '../model/pact.ts';
import { checkKeywords, isJsonObject, type Json, notPermitted } from './subset.ts';

/** Member of a Pact file to the bound it sets, and the most it may be. */
const BOUNDS = [
  ['count', 'count', Number.MAX_SAFE_INTEGER],
  ['age_days', 'ageDays', 36_525],
  ['bytes', 'bytes', Number.MAX_SAFE_INTEGER],
] as const;

/**
 * Reads `{"count": N, "age_days": N, "bytes": N}`, any of them.
 *
 * @returns undefined where the member is left out.
 * @throws PactError
 */
export function readRetention(value: Json | undefined): Retention | undefined {
  if (value === undefined) return undefined;
  const path = '/retention';
  if (!isJsonObject(value)) throw notPermitted(path, 'must be {"count", "age_days", "bytes"}');
  const names = BOUNDS.map(([member]) => member);
  checkKeywords(value, names, path);
  const bounds: Record<'count' | 'ageDays' | 'bytes', number | null> = {
    count: null,
    ageDays: null,
    bytes: null,
  };
  for (const [member, name, max] of BOUNDS) {
    const bound = value[member];
    if (bound === undefined) continue;
    if (typeof bound !== 'number' || !Number.isInteger(bound) || bound < 1 || bound > max) {
      throw notPermitted(`${path}/${member}`, `must be a whole number from 1 to ${max}`);
    }
    bounds[name] = bound;
  }
  if (Object.values(bounds).every((bound) => bound === null)) {
    throw notPermitted(path, `must say one of ${names.join(', ')}`);
  }
  return bounds;
}

/** As a Pact file has it. */
export function retentionToJson({ count, ageDays, bytes }: Retention): Json {
  return {
    ...(count === null ? {} : { count }),
    ...(ageDays === null ? {} : { age_days: ageDays }),
    ...(bytes === null ? {} : { bytes }),
  };
}
