import { AsyncResource } from "node:async_hooks";
import { stage } from "./stage.ts";

type Callback = (...args: unknown[]) => void;

/** Stands for `NodeJS.Timeout` and `NodeJS.Immediate`. */
class FakeTimer {
  readonly #cancel: () => void;

  constructor(cancel: () => void) {
    this.#cancel = cancel;
  }

  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }

  hasRef(): boolean {
    return true;
  }

  close(): this {
    this.#cancel();
    return this;
  }

  [Symbol.dispose](): void {
    this.#cancel();
  }
}

/** The timers of a run, in virtual time. What is ready at one time runs in an order that chance decides. */
export const fakeTimers = {
  setTimeout: (callback: Callback, delay: number | undefined = 1, ...args: unknown[]) =>
    // Node.js makes 1 ms of less.
    new FakeTimer(stage("setTimeout").after(Math.max(1, Math.floor(delay)), bound(callback, args), false)),
  setImmediate: (callback: Callback, ...args: unknown[]) =>
    new FakeTimer(stage("setImmediate").after(0, bound(callback, args), false)),
  setInterval: (callback: Callback, delay: number | undefined = 1, ...args: unknown[]) => {
    const call = bound(callback, args);
    let cancel: () => void = () => {};
    const plan = () => {
      cancel = stage("setInterval").after(Math.max(1, delay), repeat, true);
    };
    const repeat = () => {
      call();
      plan();
    };
    plan();
    return new FakeTimer(() => cancel());
  },
  clearTimeout: clear,
  clearInterval: clear,
  clearImmediate: clear,
};

function clear(timer: unknown): void {
  if (timer instanceof FakeTimer) timer.close();
}

/** In the asynchronous context of whoever sets the timer, as the real ones do. */
function bound(callback: Callback, args: readonly unknown[]): () => void {
  return AsyncResource.bind(() => callback(...args));
}
