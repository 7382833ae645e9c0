import type { Capabilities, Transport } from "@papa-events/core/transport";
import { wrapped } from "../rig/wrapped.ts";

/** A transport that counts what is published through it at once. */
export interface Spy {
  readonly transport: Transport;
  readonly mostEvents: number;
  readonly mostCalls: number;
  limits(): Capabilities["publishing"];
}

/** Looks at how the core publishes. */
export function spied(inner: Transport): Spy {
  let calls = 0;
  let limits: Capabilities["publishing"] | undefined;
  const most = { events: 0, calls: 0 };
  const transport = wrapped(inner, (connection) => {
    limits = connection.capabilities.publishing;
    return {
      publish: async (events) => {
        calls += 1;
        most.events = Math.max(most.events, events.length);
        most.calls = Math.max(most.calls, calls);
        try {
          return await connection.publish(events);
        } finally {
          calls -= 1;
        }
      },
    };
  });
  return {
    transport,
    get mostEvents() {
      return most.events;
    },
    get mostCalls() {
      return most.calls;
    },
    limits: () => {
      if (limits === undefined) throw new Error("nothing has connected yet");
      return limits;
    },
  };
}
