import { type UseCase, useCase } from "@papa-events/core";

/** Counts every event by its name; "#" matches all names, also those that other use cases publish. */
export function auditLog(seen: Map<string, number>): UseCase {
  return useCase("audit_log", { on: "#", concurrency: 50 }, (_payload, { eventName }) => {
    seen.set(eventName, (seen.get(eventName) ?? 0) + 1);
  });
}
