import { real } from "./real.ts";
import { stageIfAny } from "./stage.ts";

/** The virtual time of a run; between runs, such as while modules are loaded, always the same. */
function now(): number {
  return Math.floor(stageIfAny()?.now() ?? 0);
}

/** `Date`, in which the present is virtual. */
export const FakeDate: DateConstructor = new Proxy(real.Date, {
  apply: () => new real.Date(now()).toString(),
  construct: (target, args, newTarget) => Reflect.construct(target, args.length === 0 ? [now()] : args, newTarget),
  get: (target, member, receiver) => (member === "now" ? now : Reflect.get(target, member, receiver)),
});
