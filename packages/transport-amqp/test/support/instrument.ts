import type { Channel, ConfirmChannel, ConsumeMessage, Message, Options } from "amqplib";
import { onTestFinished } from "vitest";

/** What a tracer would be told of one delivery or one publish. */
export interface Span {
  readonly kind: "consumer" | "producer";
  readonly queue: string;
  ended: number;
  error: string | undefined;
}

type Method = (this: object, ...args: never[]) => unknown;
type Methods = Record<string, Method>;

/**
 * Stands in for OpenTelemetry's instrumentation of amqplib, which is no dependency here. It does to amqplib's channels what that
 * does: a consumer span begins with a message and ends when that very object is acknowledged, as an error when it is given
 * back or its channel closes; a publish is given more headers, in the object that it was called with.
 *
 * @param inject what it writes into the headers of a message that is published under a name
 */
export function instrument(channel: ConfirmChannel, inject: (key: string) => Record<string, string>): readonly Span[] {
  const spans: Span[] = [];
  const open = new WeakMap<object, { readonly message: Message; readonly span: Span }[]>();
  const ofMessage = new WeakMap<Message, Span>();
  const end = (message: Message, error: string | undefined) => {
    const span = ofMessage.get(message);
    if (span === undefined) return;
    span.ended += 1;
    span.error = error;
    ofMessage.delete(message);
  };
  const endAll = (owner: object, error: string | undefined) => {
    for (const { message } of open.get(owner)?.splice(0) ?? []) end(message, error);
  };
  const settles = (error: string | undefined, original: Method): Method =>
    function (this: object, ...args: never[]) {
      const [message, allUpTo] = args as unknown as [Message, boolean | undefined];
      const unended = open.get(this) ?? [];
      const index = unended.findIndex((each) => each.message === message);
      if (index >= 0 && allUpTo === true && error !== "reject")
        for (const each of unended.splice(0, index + 1)) end(each.message, error);
      else if (index >= 0) unended.splice(index, 1);
      end(message, error);
      return original.apply(this, args);
    };
  const ofConfirms = Object.getPrototypeOf(channel) as Methods;
  const ofChannels = Object.getPrototypeOf(ofConfirms) as Methods;
  const wrap = (prototype: Methods, name: string, wrapper: (original: Method) => Method) => {
    const isOwn = Object.hasOwn(prototype, name);
    const original = prototype[name];
    if (original === undefined) throw new Error(`amqplib has no ${name} any more`);
    prototype[name] = wrapper(original);
    onTestFinished(() => {
      if (isOwn) prototype[name] = original;
      else delete prototype[name];
    });
  };
  wrap(
    ofChannels,
    "consume",
    (original) =>
      function (this: object, ...args: never[]) {
        const [queue, onMessage, options] = args as unknown as Parameters<Channel["consume"]>;
        const unended = open.get(this) ?? [];
        open.set(this, unended);
        const receive = (message: ConsumeMessage | null) => {
          if (message !== null && options?.noAck !== true) {
            const span: Span = { kind: "consumer", queue, ended: 0, error: undefined };
            spans.push(span);
            unended.push({ message, span });
            ofMessage.set(message, span);
          }
          onMessage(message);
        };
        return original.apply(this, [queue, receive, options] as never[]);
      },
  );
  wrap(ofChannels, "ack", (original) => settles(undefined, original));
  wrap(ofChannels, "nack", (original) => settles("nack", original));
  wrap(ofChannels, "reject", (original) => settles("reject", original));
  for (const [name, error] of [
    ["ackAll", undefined],
    ["nackAll", "nackAll"],
  ] as const)
    wrap(
      ofChannels,
      name,
      (original) =>
        function (this: object, ...args: never[]) {
          endAll(this, error);
          return original.apply(this, args);
        },
    );
  wrap(
    ofChannels,
    "emit",
    (original) =>
      function (this: object, ...args: never[]) {
        const [event] = args as unknown as [string];
        if (event === "close" || event === "error") endAll(this, `channel ${event}`);
        return original.apply(this, args);
      },
  );
  wrap(
    ofConfirms,
    "publish",
    (original) =>
      function (this: object, ...args: never[]) {
        const [exchange, key, content, options = {}, onConfirm] = args as unknown as [
          string,
          string,
          Buffer,
          Options.Publish | undefined,
          ((error: unknown, ok: unknown) => void) | undefined,
        ];
        const span: Span = { kind: "producer", queue: key, ended: 0, error: undefined };
        spans.push(span);
        options.headers ??= {};
        Object.assign(options.headers, inject(key));
        const settle = (error: unknown, ok: unknown) => {
          onConfirm?.(error, ok);
          span.ended += 1;
          span.error = error ? String(error) : undefined;
        };
        return original.apply(this, [exchange, key, content, options, settle] as never[]);
      },
  );
  return spans;
}
