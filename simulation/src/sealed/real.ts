/** The real ones, kept before {@link import("./seal.ts").seal} replaces them: for the simulation's own machinery only. */
export const real = {
  setImmediate: globalThis.setImmediate,
  setTimeout: globalThis.setTimeout,
  Date: globalThis.Date,
  performanceNow: globalThis.performance.now.bind(globalThis.performance),
};
