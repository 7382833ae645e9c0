import assert from "node:assert/strict";
import { useCase, type Wrap } from "@papa-events/core";

const durations = new Map<string, number>();

// #region look
const timed: Wrap = async (ctx, next) => {
  const begun = performance.now();
  await next(); // nothing is returned: the handler's events stay as they are
  durations.set(ctx.useCase, performance.now() - begun);
};
// #endregion

// #region replace
const inheritsTenant: Wrap = async ({ headers: { tenant } }, next) => {
  const events = await next();
  if (tenant === undefined) return events;
  return events.map((event) => ({ ...event, headers: { ...event.headers, tenant } }));
};
// #endregion

const placeOrder = useCase("place_order", { on: "cart.paid", wrap: [timed, inheritsTenant] }, () => ({
  name: "order.placed",
  payload: {},
}));
assert.deepEqual(await placeOrder.handle({}, { headers: { tenant: "acme" } }), [
  { name: "order.placed", payload: {}, headers: { tenant: "acme" } },
]);
assert.ok(durations.has("place_order"));
