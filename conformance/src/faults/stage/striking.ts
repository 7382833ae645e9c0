import type { Broker } from "../../brokers/index.ts";

/** What makes replies be lost, of a broker and of a proxy. */
const STRIKES = [
  ...["kill", "restart", "pause", "resume", "isolate", "rejoin"],
  ...["cut", "refuse", "stall", "stallSome", "halfOpen", "loseReplies", "accept", "flow"],
];

/** The same object, and its nodes if it has some, that tells before and after whatever makes replies be lost. */
export function striking<T extends object>(inner: T, strike: () => void): T {
  return new Proxy(inner, {
    get(_, name) {
      const member: unknown = Reflect.get(inner, name, inner);
      if (name === "nodes") return (member as readonly Broker[]).map((node) => striking(node, strike));
      if (typeof member !== "function") return member;
      if (!STRIKES.includes(String(name))) return member.bind(inner) as unknown;
      return (...args: unknown[]) => {
        strike();
        const result: unknown = member.apply(inner, args);
        if (result instanceof Promise) return result.finally(strike);
        return result;
      };
    },
  });
}
