import { writeSync } from 'node:fs';
import type { Reporter, TestCase, TestModule } from 'vitest/node';

/** A reporter that prints, after everything else, why tests were skipped and one plain line of counts. */
export function closing(): Reporter {
  let lines: string[] = [];
  process.on('exit', () => {
    for (const line of lines) writeSync(1, `${line}\n`);
  });
  return {
    onTestRunEnd: (modules, errors) => {
      lines = closingLines(modules, errors.length);
    },
  };
}

interface Outcome {
  readonly state: 'passed' | 'failed' | 'skipped' | 'pending';
  readonly reason: string;
}

function closingLines(modules: readonly TestModule[], errors: number): string[] {
  const outcomes = modules.flatMap(outcomesOf);
  const count = (state: Outcome['state']) => outcomes.filter((outcome) => outcome.state === state).length;
  const pending = count('pending');
  return closingText(
    outcomes.flatMap((outcome) => (outcome.state === 'skipped' ? [outcome.reason] : [])),
    { passed: count('passed'), failed: count('failed') + pending + errors, skipped: count('skipped') },
  );
}

/** Every reason with its number of tests, most frequent first, then the counts. */
export function closingText(
  reasons: readonly string[],
  counts: { readonly passed: number; readonly failed: number; readonly skipped: number },
): string[] {
  const tally = new Map<string, number>();
  for (const reason of reasons) tally.set(reason, (tally.get(reason) ?? 0) + 1);
  const sorted = [...tally].toSorted((a, b) => b[1] - a[1]);
  return [
    ...sorted.map(([reason, number]) => `skipped ${number} (${reason})`),
    `${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`,
  ];
}

/** A file that could not even be read counts as one failed test. */
function outcomesOf(module: TestModule): Outcome[] {
  const tests = [...module.children.allTests()].map(outcomeOf);
  const broken = module.state() === 'failed' && !tests.some((test) => test.state === 'failed');
  return broken ? [...tests, { state: 'failed', reason: '' }] : tests;
}

function outcomeOf(test: TestCase): Outcome {
  const result = test.result();
  const reason = result.state === 'skipped' ? (result.note ?? 'no reason given') : '';
  return { state: result.state, reason };
}
