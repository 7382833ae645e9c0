import type { CountsByUseCase } from "./counts.ts";
import type { Webhook } from "./webhooks.ts";

const ANNOUNCED = ["github.release.published", "github.release.prereleased", "github.package.published"];
const ALERTS = ["github.code_scanning_alert.", "github.dependabot_alert.", "github.repository_vulnerability_alert."];

/**
 * What the files say that each use case must have got. Found without the library, by plain tests on names and
 * payloads, so that it can disagree with the library's matching and with the use cases' schemas.
 */
export function expectedCounts(webhooks: readonly Webhook[], repeat: number): CountsByUseCase {
  const count = (test: (webhook: Webhook) => boolean) => webhooks.filter(test).length * repeat;
  const all = count(() => true);
  const withoutSender = count(({ payload }) => payload.sender === undefined);
  const issues = count(isIssue);
  const triaged = count(isMissingItsLabel) + count(isAssignedToNobody);
  const announced = count(({ name }) => ANNOUNCED.includes(name));
  const pullRequests = count(({ name }) => name.startsWith("github.pull_request."));
  const alerts = count(({ name }) => ALERTS.some((start) => name.startsWith(start)));
  return {
    audit_log: handled(all + triaged),
    triage_issues: handled(issues),
    apply_triage: handled(triaged),
    announce_release: handled(announced),
    count_contributors: {
      delivered: all,
      handled: all - withoutSender,
      retried: 0,
      dead: { "invalid-payload": withoutSender },
    },
    mirror_pull_requests: { ...handled(pullRequests), retried: pullRequests },
    page_security: { delivered: alerts, handled: 0, retried: alerts, dead: { "retries-exhausted": alerts } },
  };
}

function handled(events: number) {
  return { delivered: events, handled: events, retried: 0, dead: {} };
}

interface Issue {
  readonly title: string;
  readonly state?: string;
  readonly labels?: readonly { readonly name: string }[];
  readonly assignees: readonly unknown[];
}

function isIssue({ name }: Webhook): boolean {
  return name.startsWith("github.issues.");
}

function isMissingItsLabel(webhook: Webhook): boolean {
  if (!isIssue(webhook)) return false;
  const { state, title, labels } = webhook.payload.issue as Issue;
  return state === "open" && title.includes("README") && !JSON.stringify(labels).includes('"documentation"');
}

function isAssignedToNobody(webhook: Webhook): boolean {
  return isIssue(webhook) && (webhook.payload.issue as Issue).assignees.length === 0;
}
