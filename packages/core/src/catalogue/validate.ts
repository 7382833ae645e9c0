import type { StandardSchemaV1 } from "@standard-schema/spec";
import { PapaError } from "../errors/papa-error.ts";
import { shown } from "../errors/shown.ts";

/** How many of a schema's issues are named; a list of hundreds says no more and does not fit a dead letter. */
const MAX_PROBLEMS = 20;

type Result = StandardSchemaV1.Result<unknown>;

/**
 * Runs a Standard Schema; the result is a promise only where the schema is asynchronous. A schema that answers with
 * neither a value nor issues is broken, and passes nothing.
 *
 * @throws PapaError `invalid-schema` (thrown or rejected), and whatever the schema throws
 */
export function validate(schema: StandardSchemaV1, value: unknown): Result | Promise<Result> {
  const answer: unknown = schema["~standard"].validate(value);
  if (isResult(answer)) return answer;
  // Also a promise of another realm or library.
  if (isThenable(answer)) return Promise.resolve(answer).then(checkedResult);
  return checkedResult(answer);
}

/** The usual answers first: this is asked for every payload. */
function isResult(answer: unknown): answer is Result {
  if (typeof answer !== "object" || answer === null) return false;
  if ("then" in answer) return false;
  const { issues } = answer as Partial<StandardSchemaV1.FailureResult>;
  return issues === undefined ? "value" in answer : Array.isArray(issues);
}

function checkedResult(answer: unknown): Result {
  if (isResult(answer)) return answer;
  const problem = `it answered with ${describe(answer)}, which has neither a value nor a list of issues`;
  throw new PapaError("invalid-schema", `A schema does not keep to Standard Schema: ${problem}.`, { problem });
}

function describe(answer: unknown): string {
  if (answer === null || typeof answer !== "object") return `${typeof answer} ${shown(answer)}`;
  return `an object with the members ${Object.keys(answer).slice(0, 5).join(", ") || "(none)"}`;
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === "object" && value !== null && typeof (value as { then?: unknown }).then === "function";
}

/** Describes a schema's issues, a line each: the path, then what is wrong there. */
export function problemsOf(issues: readonly StandardSchemaV1.Issue[]): readonly string[] {
  const problems = issues.slice(0, MAX_PROBLEMS).map((issue) => {
    const path = (issue.path ?? []).map((part) => String(typeof part === "object" ? part.key : part)).join(".");
    return path === "" ? issue.message : `${path}: ${issue.message}`;
  });
  if (issues.length > MAX_PROBLEMS) problems.push(`and ${issues.length - MAX_PROBLEMS} more`);
  return problems;
}
