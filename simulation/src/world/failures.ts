import type { Failure, InvalidOutput } from "../plan/plan.ts";

/** Makes what a handler throws. */
export function thrownBy(how: Failure, label: string): unknown {
  switch (how) {
    case "error":
      return new Error(`${label} fails`);
    case "undefined":
      return undefined;
    case "hostile":
      return HOSTILE;
    case "long message":
      return new Error(`${label} fails ${"for this and for that reason ".repeat(400)}`);
  }
}

/** Looking at any member of it throws. */
const HOSTILE = new Proxy(
  {},
  {
    get: () => {
      throw new Error("a hostile getter");
    },
    has: () => {
      throw new Error("a hostile trap");
    },
    getPrototypeOf: () => {
      throw new Error("a hostile prototype");
    },
  },
);

/** Makes what a handler returns that cannot be published. */
export function invalidOutput(what: InvalidOutput, label: string): unknown {
  switch (what) {
    case "name":
      return [
        { name: "a", payload: { label: `${label}-never` } },
        { name: "not a name", payload: { label } },
      ];
    case "shape":
      return "something";
    case "no payload":
      return { name: "a" };
    case "function":
      return [{ name: "a", payload: () => {} }];
  }
}
