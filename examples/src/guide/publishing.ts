import assert from "node:assert/strict";
import { isPapaError, PapaApp } from "@papa-events/core";
import { memory } from "@papa-events/transport-memory";

// #region refuse
await using app = new PapaApp({ transport: memory(), unwanted: "refuse" });
// #endregion
app.onEvent("user.#", { useCase: "user_log" }, () => {});
await app.start();

// #region publish
const { id } = await app.newEvent("user.created", { name: "carlos" }, { headers: { tenant: "acme" } });
await app.newEvents([
  { name: "user.created", payload: { name: "ada" } },
  { name: "user.deleted", payload: { id } },
]);
// #endregion

const problems: unknown[] = [];
const send = () => app.newEvent("users.created", {});
// #region errors
try {
  await send();
} catch (error) {
  if (!isPapaError(error)) throw error;
  switch (error.code) {
    case "unwanted-event":
      problems.push(`nobody wants ${error.details.eventName}; did you mean ${error.details.nearest}?`);
      break;
    case "publish-timeout":
      problems.push(`unknown whether the broker has ${error.details.id}; send it again with that id`);
      break;
    default:
      if (!error.retryable) throw error;
  }
}
// #endregion
assert.deepEqual(problems, ["nobody wants users.created; did you mean user.#?"]);
