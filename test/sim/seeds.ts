/**
 * The seeds of a test: so many, or what SIM_SEED and SIM_COUNT say. A seed that failed is run again
 * with `SIM_SEED=17 SIM_COUNT=1 npx vitest run test/sim -t 'name of the scenario'`.
 */
export function seedsOf(count: number): number[] {
  const first = Number(process.env['SIM_SEED'] ?? 1);
  const length = Number(process.env['SIM_COUNT'] ?? count);
  return Array.from({ length }, (_, index) => first + index);
}
