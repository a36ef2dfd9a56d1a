// What the last run of vitest came to. As a program: prints `N passed, N failed`.
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { hardwareResults } from './hardware.mjs';
import { root } from './preflight.mjs';

/** Where vitest writes its JSON report. */
export const reportFile = join(root, '.cache/test-results.json');

/** Makes sure that the report of an earlier run is not taken for the next one's. */
export function forgetReport() {
  mkdirSync(dirname(reportFile), { recursive: true });
  rmSync(reportFile, { force: true });
}

function readReport() {
  try {
    return JSON.parse(readFileSync(reportFile, 'utf8'));
  } catch {
    // No report: the run ended before its first test, which is one failure.
    return { success: false, numPassedTests: 0, numFailedTests: 0, testResults: [] };
  }
}

/**
 * @returns the line that sums up the report; a file that could not be loaded counts as one failure.
 */
export function summary(status = 0) {
  const report = readReport();
  const broken = report.testResults.filter(
    (file) =>
      file.status === 'failed' && !file.assertionResults.some((test) => test.status === 'failed'),
  );
  const counted = report.numFailedTests + broken.length;
  const failed = counted === 0 && (status !== 0 || !report.success) ? 1 : counted;
  return `${report.numPassedTests} passed, ${failed} failed`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [, passed, failed] = /^(\d+) passed, (\d+) failed$/.exec(
    summary(Number(process.argv[2] ?? 0)),
  );
  const hardware = hardwareResults();
  const sum = [Number(passed) + hardware.passed, Number(failed) + hardware.failed];
  console.log(`${sum[0]} passed, ${sum[1]} failed`);
}
