// Errors: a switch over all codes compiles, and each narrows the details.
import {
  type AnyPapaError,
  isPapaError,
  PapaError,
  type PapaErrorCode,
  type PapaErrorDetails,
} from "@papa-events/core";
import { expectTypeOf } from "vitest";

/** What a program would do; a code more or less than there is does not compile. */
export function advice(error: unknown): string {
  if (!isPapaError(error)) return "not ours";
  expectTypeOf(error.code).toEqualTypeOf<PapaErrorCode>();
  expectTypeOf(error.retryable).toEqualTypeOf<boolean>();
  switch (error.code) {
    case "invalid-event-name":
      return error.details.name + error.details.problem;
    case "invalid-pattern":
      return error.details.pattern;
    case "invalid-use-case":
    case "unknown-use-case":
    case "duplicate-use-case":
      return error.details.useCase;
    case "invalid-option":
      return error.details.option;
    case "invalid-payload":
      return error.details.problems.join();
    case "invalid-schema":
    case "invalid-output":
      return error.details.problem;
    case "invalid-headers":
      return error.details.header;
    case "headers-too-large":
      return String(error.details.bytes - error.details.limit);
    case "payload-not-json":
      return error.details.problem;
    case "payload-too-large":
      return String(error.details.bytes - error.details.limit);
    case "unknown-event":
      return error.details.eventName;
    case "already-started":
      return error.details.state;
    case "not-started":
    case "stopped":
      return error.details.operation;
    case "publish-timeout":
      return error.details.id;
    case "publish-incomplete":
      return error.details.failed.map(({ name }) => name).join();
    case "connection-failed":
    case "access-refused":
      return error.details.address ?? error.details.transport;
    case "topology-conflict":
      return error.details.object;
    case "unsupported-broker":
      return error.details.problem;
    case "unknown-scheme":
      return error.details.known.join();
    case "transport-not-installed":
      return error.details.package;
    case "event-lost":
      return error.details.eventId;
    case "handler-timeout":
      return String(error.details.timeout);
    case "unwanted-event":
      return error.details.nearest ?? error.details.eventName;
    case "crash-loop":
      return String(error.details.crashes);
    default:
      return error satisfies never;
  }
}

declare const thrown: unknown;
if (isPapaError(thrown, "payload-too-large")) {
  expectTypeOf(thrown).toEqualTypeOf<PapaError<"payload-too-large">>();
  expectTypeOf(thrown.details.limit).toEqualTypeOf<number>();
}
if (thrown instanceof PapaError) {
  expectTypeOf(thrown).toEqualTypeOf<PapaError>();
  expectTypeOf(thrown.code).toEqualTypeOf<PapaErrorCode>();
}
expectTypeOf<AnyPapaError["code"]>().toEqualTypeOf<PapaErrorCode>();
expectTypeOf<keyof PapaErrorDetails>().toEqualTypeOf<PapaErrorCode>();
new PapaError("stopped", "...", { operation: "newEvent" }, { cause: thrown, retryable: undefined });
// @ts-expect-error the details of another code
new PapaError("stopped", "...", { useCase: "a" });
// @ts-expect-error no such code
isPapaError(thrown, "broken");
