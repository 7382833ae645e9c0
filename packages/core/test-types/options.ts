// What may be missing can be passed as it is, with exactOptionalPropertyTypes and without; durations; names of options.
import {
  type Duration,
  exponential,
  type HandlingOptions,
  type Logger,
  type OnEventOptions,
  type OutputEvent,
  PapaApp,
  type PapaAppOptions,
  type PublishOptions,
  parseDuration,
  RetryAfter,
  type RetryDelay,
  type Unwanted,
  type Wrap,
} from "@papa-events/core";
import { expectTypeOf } from "vitest";
import type { z } from "zod";
import { app, events, plain, transport } from "./events.ts";

declare const maybe: {
  number: number | undefined;
  text: string | undefined;
  flag: boolean | undefined;
  duration: Duration | undefined;
  delay: RetryDelay | undefined;
  unwanted: Unwanted | undefined;
  headers: Record<string, string> | undefined;
  wrap: Wrap | Wrap[] | undefined;
  logger: Logger | undefined;
  container: object | undefined;
  events: typeof events | undefined;
};

new PapaApp({
  transport,
  name: maybe.text,
  events: maybe.events,
  concurrency: maybe.number,
  retries: maybe.number,
  retryDelay: maybe.delay,
  publishTimeout: maybe.duration,
  drainTimeout: maybe.duration,
  maxPayloadBytes: maybe.number,
  maxHeldBytes: maybe.number,
  crashLimit: maybe.number,
  unwanted: maybe.unwanted,
  waitForBroker: maybe.duration,
  declarationGrace: maybe.duration,
  validatePublished: maybe.flag,
  logger: maybe.logger,
  container: maybe.container,
  wrap: maybe.wrap,
  onRetry: undefined,
  onDeadLetter: undefined,
}).onEvent(
  "user.*",
  {
    useCase: "1",
    schema: undefined,
    retries: maybe.number,
    retryDelay: maybe.delay,
    concurrency: maybe.number,
    timeout: maybe.duration,
    wrap: maybe.wrap,
  },
  (_payload, ctx) => expectTypeOf(ctx.eventName).toEqualTypeOf<"user.created" | "user.deleted">() && undefined,
);
expectTypeOf(new PapaApp({ transport, events: undefined })).toEqualTypeOf<typeof plain>();
expectTypeOf(new PapaApp({ transport, events: maybe.events })).toEqualTypeOf<typeof app>();
plain.newEvent("a", 1, { headers: maybe.headers, id: maybe.text });
plain.newEvent("a", 1, undefined);
plain.newEvents([{ name: "a", payload: 1, headers: maybe.headers }]);
plain.onEvent("a", { useCase: "2" }, () => ({ name: "b", payload: 1, headers: maybe.headers }));
exponential({ first: "1s", factor: maybe.number, max: maybe.duration, jitter: maybe.number });
app.deadLetters("1").list({ limit: maybe.number, after: maybe.text, order: undefined });

// Options made elsewhere.
declare const appOptions: PapaAppOptions;
expectTypeOf(new PapaApp(appOptions)).toEqualTypeOf<typeof plain>();
declare const slow: HandlingOptions;
plain.onEvent("a", { useCase: "3", ...slow }, (payload) => expectTypeOf(payload).toEqualTypeOf<unknown>() && undefined);
declare const onEventOptions: OnEventOptions<z.ZodString>;
plain.onEvent("a", onEventOptions, (payload) => expectTypeOf(payload).toEqualTypeOf<string>() && undefined);
declare const publishOptions: PublishOptions;
plain.newEvent("a", 1, publishOptions);

// Durations.
const durations: Duration[] = [0, 250, "250ms", "10s", "1.5s", "5m", "2h", parseDuration("1m")];
new RetryAfter("2m");
new RetryAfter(500, { cause: durations, message: maybe.text });
plain.onEvent("a", { useCase: "4", retryDelay: exponential({ first: "1s", max: "5m" }), timeout: 500 }, () => {});
plain.onEvent(
  "a",
  { useCase: "5", retryDelay: (attempt, error) => (error instanceof Error ? attempt * 1000 : "10s") },
  () => {},
);
// @ts-expect-error no unit
export const noUnit: Duration = "10";
// @ts-expect-error a unit that is none
export const days: Duration = "10d";
// @ts-expect-error words
export const words: Duration = "ten seconds";
// @ts-expect-error text from outside goes through parseDuration
export const fromOutside: Duration = maybe.text ?? "10s";
// @ts-expect-error no duration
plain.onEvent("a", { useCase: "6", retryDelay: "10" }, () => {});
// @ts-expect-error a delay that is not a duration
plain.onEvent("a", { useCase: "7", retryDelay: () => "10 seconds" }, () => {});

// Around a handler.
const timed: Wrap = async (ctx, next) => {
  expectTypeOf(ctx.payload).toEqualTypeOf<unknown>();
  return await next();
};
const silent: Wrap = async (_ctx, next) => {
  expectTypeOf(await next()).toEqualTypeOf<OutputEvent[]>();
};
new PapaApp({ transport, wrap: [timed, silent, (_ctx, next) => next()] });
// @ts-expect-error what is no list of events
new PapaApp({ transport, wrap: async (_ctx, next) => (await next()).length });
// @ts-expect-error no such way with unwanted events
new PapaApp({ transport, unwanted: "ignore" });
new PapaApp({
  transport,
  onRetry: (ctx, error, delay) => {
    expectTypeOf(ctx.eventName).toEqualTypeOf<string>();
    expectTypeOf(error).toEqualTypeOf<unknown>();
    expectTypeOf(delay).toEqualTypeOf<number>();
  },
});
// @ts-expect-error no transport
new PapaApp({ events });
// @ts-expect-error no transport, but its URL
new PapaApp({ transport: "memory:" });
// @ts-expect-error no such option
new PapaApp({ transport, retryDelays: "10s" });
