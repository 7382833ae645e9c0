import { afterABadDeploy } from "./after-a-bad-deploy.ts";
import { brokerIsFull } from "./broker-is-full.ts";
import { deadLettersGrow } from "./dead-letters-grow.ts";
import { lostConnection } from "./lost-connection.ts";
import { poisonEvent } from "./poison-event.ts";
import { publishedToNobody } from "./published-to-nobody.ts";
import { retriesStorm } from "./retries-storm.ts";
import type { Cause } from "./situation.ts";
import { standsStill } from "./use-case-stands-still.ts";
import { useCaseToRetire } from "./use-case-to-retire.ts";

/** What causes the symptom of each page of `docs/operate`. */
export const situations: Readonly<Record<string, Cause>> = {
  "dead-letters-grow": deadLettersGrow,
  "retries-storm": retriesStorm,
  "use-case-stands-still": standsStill,
  "broker-is-full": brokerIsFull,
  "poison-event": poisonEvent,
  "lost-connection": lostConnection,
  "after-a-bad-deploy": afterABadDeploy,
  "use-case-to-retire": useCaseToRetire,
  "published-to-nobody": publishedToNobody,
};
