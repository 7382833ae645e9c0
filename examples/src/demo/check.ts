import type { DeadLetterReason } from "@papa-events/core";
import { type Counts, type CountsByUseCase, deadInAll } from "./counts.ts";

const NONE: Counts = { delivered: 0, handled: 0, retried: 0, dead: {} };

/** A line for each count that is not what the files say; none when all is well. */
export function differences(expected: CountsByUseCase, actual: CountsByUseCase): readonly string[] {
  const useCases = new Set([...Object.keys(expected), ...Object.keys(actual)]);
  return [...useCases].flatMap((useCase) =>
    differencesOf(expected[useCase] ?? NONE, actual[useCase] ?? NONE).map((line) => `${useCase}: ${line}`),
  );
}

/** Whether everything that the files say has happened; too much may have. */
export function isComplete(expected: CountsByUseCase, actual: CountsByUseCase): boolean {
  return Object.entries(expected).every(([useCase, wanted]) => {
    const counts = actual[useCase] ?? NONE;
    const done = counts.handled + deadInAll(counts) >= wanted.handled + deadInAll(wanted);
    return done && counts.delivered >= wanted.delivered && counts.retried >= wanted.retried;
  });
}

function differencesOf(expected: Counts, actual: Counts): readonly string[] {
  const reasons = [...new Set([...Object.keys(expected.dead), ...Object.keys(actual.dead)])] as DeadLetterReason[];
  return [
    compare("delivered", expected.delivered, actual.delivered),
    compare("handled", expected.handled, actual.handled),
    compare("retried", expected.retried, actual.retried),
    ...reasons.map((reason) => compare(`dead (${reason})`, expected.dead[reason] ?? 0, actual.dead[reason] ?? 0)),
  ].flat();
}

function compare(what: string, expected: number, actual: number): readonly string[] {
  return expected === actual ? [] : [`${what} ${actual}, and the files say ${expected}`];
}
