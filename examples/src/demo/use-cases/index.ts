import type { UseCase } from "@papa-events/core";
import { Pager } from "../pager.ts";
import { announceRelease } from "./announce-release.ts";
import { applyTriage } from "./apply-triage.ts";
import { auditLog } from "./audit-log.ts";
import { countContributors } from "./count-contributors.ts";
import { mirrorPullRequests } from "./mirror-pull-requests.ts";
import { pageSecurity } from "./page-security.ts";
import { triageIssues } from "./triage-issues.ts";

/** What the use cases have written down. */
export class Outside {
  readonly seen = new Map<string, number>();
  readonly triaged = new Set<string>();
  readonly announced = new Set<string>();
  readonly deliveriesOf = new Map<string, number>();
  readonly mirror = new Map<string, string>();
  readonly pager = new Pager();
}

/** All use cases of the demo: values that any app on any broker can use. */
export function demoUseCases(outside: Outside): readonly UseCase[] {
  return [
    auditLog(outside.seen),
    triageIssues,
    applyTriage(outside.triaged),
    announceRelease(outside.announced),
    countContributors(outside.deliveriesOf),
    mirrorPullRequests(outside.mirror),
    pageSecurity(outside.pager),
  ];
}
