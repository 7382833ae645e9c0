import type { StandardSchemaV1 } from "@standard-schema/spec";

/** How many of a schema's issues are told; a list of hundreds says no more and does not fit a dead letter. */
const MAX_PROBLEMS = 20;

/** Runs a Standard Schema; the result is a promise only where the schema is asynchronous. */
export function validate(
  schema: StandardSchemaV1,
  value: unknown,
): StandardSchemaV1.Result<unknown> | Promise<StandardSchemaV1.Result<unknown>> {
  return schema["~standard"].validate(value);
}

/** A schema's issues, a line each: the path, then what is wrong there. */
export function problemsOf(issues: readonly StandardSchemaV1.Issue[]): readonly string[] {
  const problems = issues.slice(0, MAX_PROBLEMS).map((issue) => {
    const path = (issue.path ?? []).map((part) => String(typeof part === "object" ? part.key : part)).join(".");
    return path === "" ? issue.message : `${path}: ${issue.message}`;
  });
  if (issues.length > MAX_PROBLEMS) problems.push(`and ${issues.length - MAX_PROBLEMS} more`);
  return problems;
}
