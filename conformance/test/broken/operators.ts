import type { Delivery, Subscription, Tail, Transport } from "@papa-events/core/transport";
import { declaring, wrapped, wrappedAdministration } from "../../src/rig/wrapped.ts";
import { administration, later, onLoss, redirected, type Variant, variant } from "./variant.ts";

const SILENT = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

/** Faults in what operators do, and in what apps make of it. */
export const operatorFaults: readonly Variant[] = [
  {
    rule: "R9",
    fault: "makes a removed use case anew for whoever still runs it",
    around: (inner) =>
      wrapped(inner, (connection) => ({
        declarations: declaring(connection.declarations, (declarations) =>
          onOther(inner, (other) => other.declarations.declare(declarations)),
        ),
      })),
  },

  variant("R9", "does not tell those who run a removed use case", () => (_, options) => {
    Object.assign(options, { onProblem: () => {} });
    return {};
  }),

  {
    rule: "R9",
    fault: "keeps retries of a removed use case, for whoever declares it later",
    around: (inner) =>
      wrapped(inner, (connection) => ({
        subscribe: (useCase, options, onDelivery) =>
          connection.subscribe(useCase, options, (delivery) =>
            onDelivery(
              redirected(delivery, (settlement) => {
                if (settlement.kind !== "retry") return delivery.settle(settlement);
                later(settlement.delay, () => onOther(inner, (other) => other.publish([settlement.event])));
                return delivery.settle({ kind: "done", outputs: [] });
              }),
            ),
          ),
      })),
  },

  administration("R9", "purges dead letters that are to be kept", () => (inner) => ({
    remove: (useCase) => inner.remove(useCase, "purge"),
  })),

  administration("R9", "keeps dead letters that are to be purged", () => (inner) => ({
    remove: (useCase) => inner.remove(useCase, "keep"),
  })),

  variant("R9 an app of which one", "stops with a removed use case what else its app runs", () => {
    let removed = false;
    return (connection) => ({
      subscribe: (useCase, options, onDelivery) =>
        connection.subscribe(useCase, options, (delivery) => {
          if (!removed) onDelivery(delivery);
        }),
      administration:
        connection.administration &&
        wrappedAdministration(connection.administration, {
          remove: async (useCase, deadLetters) => {
            removed = true;
            return (await connection.administration?.remove(useCase, deadLetters)) ?? false;
          },
        }),
    });
  }),

  administration("R9", "keeps the pause of a removed use case", () => (inner) => ({
    remove: async (useCase, deadLetters) => {
      const paused = await inner.paused();
      const removed = await inner.remove(useCase, deadLetters);
      if (paused.includes(useCase)) await inner.pause(useCase);
      return removed;
    },
  })),

  administration("R9", "knows only those that run", () => (inner, connection) => ({
    useCases: async () => {
      const known = await inner.useCases();
      const records = (await connection.declarations.list()) ?? [];
      return known.filter((useCase) => records.some((record) => record.useCase === useCase && record.idle < 0));
    },
  })),

  administration("L6 a paused use case", "pauses only for those who are connected", () => {
    const pausedBy = new Map<string, object>();
    return (inner) => ({
      pause: async (useCase) => {
        pausedBy.set(useCase, inner);
        await inner.pause(useCase);
      },
      paused: async () => (await inner.paused()).filter((useCase) => pausedBy.get(useCase) === inner),
    });
  }),

  variant("L6 a paused use case", "forgets a pause when the use case is declared again", () => (connection) => ({
    declarations: declaring(connection.declarations, async (declarations) => {
      await connection.declarations.declare(declarations);
      for (const { name } of declarations) await connection.administration?.resume(name);
    }),
  })),

  administration("L6 a paused use case", "lets a second pause undo the first", () => (inner) => ({
    pause: async (useCase) => {
      if ((await inner.paused()).includes(useCase)) await inner.resume(useCase);
      else await inner.pause(useCase);
    },
  })),

  variant("L2 a stopped subscription", "goes on to hand out when its subscription was stopped", () => (connection) => ({
    subscribe: async (...args): Promise<Subscription> => {
      const subscription = await connection.subscribe(...args);
      return { readAhead: (limit) => subscription.readAhead(limit), stop: async () => {} };
    },
  })),

  variant(
    "L2 what a stopped subscription has",
    "hands out once more, to a second subscription, what the first has not settled",
    () => (connection) => {
      const open = new Map<string, Set<Delivery>>();
      return {
        subscribe: (useCase, options, onDelivery) => {
          const taken = open.get(useCase) ?? new Set();
          open.set(useCase, taken);
          for (const delivery of taken) later(1, () => onDelivery(delivery));
          return connection.subscribe(useCase, options, (delivery) => {
            taken.add(delivery);
            onDelivery(
              redirected(delivery, (settlement) => {
                taken.delete(delivery);
                return delivery.settle(settlement);
              }),
            );
          });
        },
      };
    },
  ),

  variant(
    "L2 what a stopped subscription has",
    "drops what a stopped subscription had in hand",
    () => (connection) => ({
      subscribe: async (useCase, options, onDelivery) => {
        let open = true;
        const subscription = await connection.subscribe(useCase, options, (delivery) =>
          onDelivery(redirected(delivery, async (settlement) => (open ? delivery.settle(settlement) : "lost"))),
        );
        return {
          readAhead: (limit) => subscription.readAhead(limit),
          stop: async () => {
            open = false;
            await subscription.stop();
          },
        };
      },
    }),
  ),

  variant("L2 what a stopped subscription leaves", "keeps a stopped subscription's share", () => (connection) => ({
    subscribe: async (useCase, options, onDelivery) => {
      let open = true;
      const subscription = await connection.subscribe(useCase, options, (delivery) => {
        if (open) onDelivery(delivery);
      });
      return {
        readAhead: (limit) => subscription.readAhead(limit),
        stop: async () => {
          open = false;
        },
      };
    },
  })),

  variant(
    "L3 a use case that is subscribed again",
    "cannot be subscribed again once the connection was lost",
    () => (connection, options) => {
      let lost = false;
      onLoss(options, () => {
        lost = true;
      });
      return {
        subscribe: (useCase, options, onDelivery) =>
          lost
            ? Promise.resolve({ readAhead: () => {}, stop: async () => {} })
            : connection.subscribe(useCase, options, onDelivery),
      };
    },
  ),

  administration("L6 a tail", "shows an event once for each pattern of a tail", () => (inner) => ({
    tail: async (patterns, listener): Promise<Tail> => {
      const each = await Promise.all(patterns.map((pattern) => inner.tail([pattern], listener)));
      return {
        stop: async () => {
          for (const tail of each) await tail.stop();
        },
      };
    },
  })),

  administration("L6 a tail", "declares a use case for a tail", () => (inner, connection) => ({
    tail: async (patterns, listener) => {
      await connection.declarations.declare([{ name: "tail", patterns, id: "tail" }]);
      return inner.tail(patterns, listener);
    },
  })),

  administration("L6 a tail", "goes on with a tail that was stopped", () => (inner) => ({
    tail: async (patterns, listener) => {
      await inner.tail(patterns, listener);
      return { stop: async () => {} };
    },
  })),

  administration("L6 a tail", "lets a tail end without a word", () => (inner) => ({
    tail: (patterns, listener) => inner.tail(patterns, { ...listener, onEnd: () => {} }),
  })),

  variant("L6 a tail", "has publishers wait for a tail", () => {
    let watched = 0;
    return (connection) => {
      const { administration } = connection;
      return {
        publish: async (events) => {
          if (watched > 0) await new Promise((resolve) => later(2_000, () => resolve(undefined)));
          return connection.publish(events);
        },
        administration:
          administration &&
          wrappedAdministration(administration, {
            tail: async (patterns, listener) => {
              watched += 1;
              return administration.tail(patterns, listener);
            },
          }),
      };
    };
  }),

  variant("L1 an operator", "makes a use case for each operator who connects", () => {
    const made = new WeakSet<object>();
    return (connection, options) => {
      const { administration } = connection;
      if (options.operator !== true || administration === undefined) return {};
      return {
        administration: wrappedAdministration(administration, {
          useCases: async () => {
            if (!made.has(connection))
              await connection.declarations.declare([{ name: "operators", patterns: ["operators"], id: "operators" }]);
            made.add(connection);
            return administration.useCases();
          },
        }),
      };
    };
  }),

  administration(
    "L3 while the broker is away operators",
    "lets operators wait while the broker is away",
    () => (inner) => ({
      useCases: () => inner.useCases().catch(() => new Promise<never>(() => {})),
    }),
  ),

  administration("L6 what is diagnosed", "says what is wrong and not what to do", () => (inner) => ({
    diagnose: async () => (await inner.diagnose()).map((finding) => ({ ...finding, remedy: "" })),
  })),
];

/** Does something by a connection of its own. */
async function onOther(
  inner: Transport,
  act: (connection: Awaited<ReturnType<Transport["connect"]>>) => Promise<unknown>,
): Promise<void> {
  const other = await inner.connect({
    appName: "other",
    logger: SILENT,
    maxHeldBytes: 1,
    onStatus: () => {},
    onProblem: () => {},
  });
  await act(other);
  await other.close();
}
