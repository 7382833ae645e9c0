import type { RuleTest } from "../rule.ts";
import { atLeastOnce } from "./at-least-once.ts";
import { claims } from "./claims.ts";
import { clocks } from "./clocks.ts";
import { concurrency } from "./concurrency.ts";
import { contexts } from "./contexts.ts";
import { crashLoops } from "./crash-loops.ts";
import { deadLetterRules } from "./dead-letters.ts";
import { deadlines } from "./deadlines.ts";
import { deleted } from "./deleted.ts";
import { failedStarts } from "./failed-starts.ts";
import { fairShare } from "./fair-share.ts";
import { forwarding } from "./forwarding.ts";
import { full } from "./full.ts";
import { handlers } from "./handlers.ts";
import { held } from "./held.ts";
import { lateConfirmations } from "./late-confirmations.ts";
import { neighbours } from "./neighbours.ts";
import { notifications } from "./notifications.ts";
import { operating } from "./operating.ts";
import { outputs } from "./outputs.ts";
import { outsiders } from "./outsiders.ts";
import { pausing } from "./pausing.ts";
import { publishing } from "./publishing.ts";
import { reconnecting } from "./reconnecting.ts";
import { removal } from "./removal.ts";
import { resubscribing } from "./resubscribing.ts";
import { retrying } from "./retrying.ts";
import { rollingDeploys } from "./rolling-deploys.ts";
import { rollingRestarts } from "./rolling-restarts.ts";
import { routing } from "./routing.ts";
import { searching } from "./searching.ts";
import { selections } from "./selections.ts";
import { sharedNames } from "./shared-names.ts";
import { starting } from "./starting.ts";
import { stopping } from "./stopping.ts";
import { storable } from "./storable.ts";
import { tails } from "./tails.ts";
import { unwanted } from "./unwanted.ts";

/** Every test of the suite, in the order of the contract. */
export const allRules: readonly RuleTest[] = [
  ...routing,
  ...unwanted,
  ...rollingDeploys,
  ...forwarding,
  ...fairShare,
  ...sharedNames,
  ...removal,
  ...publishing,
  ...lateConfirmations,
  ...atLeastOnce,
  ...concurrency,
  ...outputs,
  ...handlers,
  ...neighbours,
  ...held,
  ...contexts,
  ...retrying,
  ...crashLoops,
  ...deadLetterRules,
  ...selections,
  ...searching,
  ...storable,
  ...starting,
  ...failedStarts,
  ...stopping,
  ...deadlines,
  ...reconnecting,
  ...claims,
  ...outsiders,
  ...notifications,
  ...pausing,
  ...resubscribing,
  ...tails,
  ...operating,
  ...full,
  ...deleted,
  ...clocks,
  ...rollingRestarts,
].sort((a, b) => order(a.rule) - order(b.rule));

function order(rule: string): number {
  return "RPHTDL".indexOf(rule.charAt(0)) * 100 + Number(rule.slice(1));
}
